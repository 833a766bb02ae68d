import * as Plot from '@observablehq/plot';
import { asFile, COLOURS, document, STYLE } from '../drawing.ts';

/** Memory of runs over their share of time, a line each. */
export function memoryPlot(
  curves: readonly { images: number; memory: readonly (readonly [seconds: number, bytes: number])[] }[],
): string {
  const points = curves.flatMap(({ images, memory }) => {
    const [end] = memory.at(-1) ?? [1];
    return memory.map(([seconds, bytes]) => ({
      series: `${images.toLocaleString('en')} images, ${Math.round(end)} s`,
      share: seconds / end,
      megabytes: bytes / 1e6,
    }));
  });
  const series = [...new Set(points.map((point) => point.series))];
  return asFile(
    Plot.plot({
      document,
      style: STYLE,
      width: 640,
      height: 340,
      marginLeft: 50,
      x: { label: 'share of the run →', percent: true, grid: true },
      y: { label: '↑ memory of the process, MB', domain: [0, 320], grid: true },
      color: { domain: series, range: COLOURS, legend: false },
      marks: [
        Plot.ruleY([300], { stroke: '#888', strokeDasharray: '4 3' }),
        Plot.line(points, { x: 'share', y: 'megabytes', stroke: 'series', strokeWidth: 1.5 }),
        ...series.map((name, k) =>
          Plot.text([name], {
            frameAnchor: 'bottom-right',
            dx: -10,
            dy: -12 - 16 * (series.length - 1 - k),
            text: [name],
            fill: COLOURS[k],
          }),
        ),
      ],
    }) as unknown as { outerHTML: string },
  );
}
