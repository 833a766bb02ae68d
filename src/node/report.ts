import type { NdArray, PrecomputeResult } from '../diffusion/types.ts';
import { checkOptionNames, SeedspanError } from '../errors.ts';
import type { SolveStatus } from '../solver/types.ts';
import { densityMaps, pictureFigures, scoreFigures } from './report/fields.ts';
import { html, Markup, table } from './report/html.ts';
import { barPlot, linePlot, MAX_SERIES } from './report/plots.ts';
import { STYLE } from './report/style.ts';
import { count, decisionTexts, duration, plural, summary, tiny, verdict } from './report/words.ts';

/** What one way of solving the same systems cost. */
export interface WayCost {
  /** `BiCGSTAB from zero`. */
  way: string;
  /** It ran this often, in turn with the others; times are those of the run with the median `solveTime`. */
  runs: number;
  /** Milliseconds of the linear solves, projection included, and in all. */
  solveTime: number;
  totalTime: number;
  /** Krylov iterations and linear solves, in all. */
  iterations: number;
  solves: number;
  /** Largest relative residual that a solve ended with. */
  residual: number;
  /** Percent of `solveTime` saved against the first way of the list. */
  saved: number;
  status: SolveStatus;
}

/** What a report shows. */
export interface ReportInput {
  /** The pictures, `[n, C, H, W]` in [0, 1]. */
  pictures: NdArray<Float32Array> | NdArray<Float64Array>;
  /** A name for each. */
  names: readonly string[];
  result: PrecomputeResult;
  /** The pictures after embedding, of the pictures' shape. */
  embedded?: NdArray<Float32Array> | NdArray<Float64Array>;
  comparison?: readonly WayCost[];
  /** Tolerance of the fixed-point loop, for a line in its plot. */
  fixedPointRtol?: number;
  /** The run's options, and the versions that took part: shown as they are. */
  options?: Readonly<Record<string, string>>;
  versions?: Readonly<Record<string, string>>;
}

async function timeSection({ report }: PrecomputeResult): Promise<Markup> {
  const stages = [
    ['density', report.time.density],
    ['assembly', report.time.assembly],
    ['projection', report.time.projection],
    ['linear solves', report.time.solve],
    ['score', report.time.score],
  ] as const;
  const bars = stages.map(([name, value]) => ({ name, value, text: duration(value) }));
  const label = `Time by stage: ${bars.map(({ name, text }) => `${name} ${text}`).join(', ')}`;
  return html`<figure class="plot">${await barPlot({ bars, x: 'milliseconds', label })}
<figcaption>Time by stage; ${duration(report.time.total)} in all.</figcaption></figure>`;
}

async function convergenceSection({ result, names, fixedPointRtol }: ReportInput): Promise<Markup> {
  const { report } = result;
  const shown = names.slice(0, MAX_SERIES);
  const byImage = (value: (step: (typeof report.steps)[number]) => number) =>
    shown.map((name, image) => ({
      name,
      points: report.steps
        .filter((step) => step.image === image)
        .map((step) => ({ x: step.level, y: value(step) })),
    }));
  const changes = shown.map((name, image) => ({
    name,
    points: report.images[image].changes.map((y, k) => ({ x: k + 1, y })),
  }));
  const wholeHorizon = report.scheme === 'na2024';
  const measure =
    report.scheme === 'consistent' ? 'relative non-linear residual' : 'relative change of the log density';
  const when = wholeHorizon ? 'after each policy iteration' : 'at the end of each time step';
  const last = report.images
    .slice(0, MAX_SERIES)
    .map(({ changes }, k) => `${names[k]} ${tiny(changes.at(-1) ?? 0)}`);
  const change = await linePlot({
    series: changes,
    x: wholeHorizon ? 'policy iteration' : 'time step',
    y: measure,
    logarithmic: true,
    ...(fixedPointRtol === undefined
      ? {}
      : { threshold: { value: fixedPointRtol, name: `tolerance ${tiny(fixedPointRtol)}` } }),
    label: `The ${measure}, ${when}; the last: ${last.join(', ')}`,
  });
  const iterations = await linePlot({
    series: byImage((step) => step.iterations),
    x: 'time step',
    y: 'Krylov iterations',
    logarithmic: false,
    label: `Krylov iterations of each time step; in all: ${report.images
      .slice(0, MAX_SERIES)
      .map((image, k) => `${names[k]} ${count(image.iterations)}`)
      .join(', ')}`,
  });
  return html`<section><h2>Convergence and cost</h2>
<p>The equation is not linear. It is solved again and again, each time with the last answer put into its non-linear
term, until the answer hardly changes.${names.length > shown.length ? ` The first ${shown.length} pictures are drawn.` : ''}</p>
<div class="row plots">
<figure class="plot">${change}<figcaption>The ${measure}, ${when}${
    wholeHorizon ? ', over all time levels' : ''
  }. Lower is better; the scale is logarithmic, and exact zeros are not drawn.</figcaption></figure>
<figure class="plot">${iterations}<figcaption>Iterations of ${report.method === 'gmres' ? 'GMRES' : 'BiCGSTAB'} at each time step, over all channels and fixed-point iterations.</figcaption></figure>
${await timeSection(result)}
</div></section>`;
}

async function comparisonSection(comparison: readonly WayCost[]): Promise<Markup> {
  const bars = comparison.map(({ way, solveTime }) => ({
    name: way,
    value: solveTime,
    text: duration(solveTime),
  }));
  const label = `Time of the linear solves: ${bars.map(({ name, text }) => `${name} ${text}`).join(', ')}`;
  return html`<section><h2>Ways of solving, compared</h2>
<p>The same pictures to the same tolerance of that loop, on one machine, ${plural(comparison[0].runs, 'time')} each in turn; the median
time is shown. Times vary from run to run; iterations do not. Where there are no linear solves
(accelerated), an iteration is a step of that loop.</p>
${table({
  caption: `Cost of each way of solving; saved: time of the linear solves, against ${comparison[0].way}`,
  head: [
    'Way',
    'Linear solves',
    'In all',
    'Krylov iterations',
    'Solves',
    'Largest residual',
    'Saved',
    'Status',
  ],
  rows: comparison.map((way, k) => [
    way.way,
    duration(way.solveTime),
    duration(way.totalTime),
    count(way.iterations),
    count(way.solves),
    tiny(way.residual),
    k === 0 ? '–' : `${way.saved.toFixed(1)} %`,
    way.status,
  ]),
  numbersFrom: 1,
})}
<div class="row plots"><figure class="plot">${await barPlot({ bars, x: 'milliseconds', label })}
<figcaption>Time of the linear solves, projection included.</figcaption></figure></div></section>`;
}

/** More lines than that tell a reader nothing. */
const MOST_DECISIONS = 12;

function detailsSection({ result, names, options = {}, versions = {} }: ReportInput): Markup {
  const { peclet, build, decisions } = result.report;
  const rows = (record: Readonly<Record<string, string>>) => Object.entries(record);
  return html`<section><h2>Run</h2>
${
  peclet === undefined
    ? undefined
    : html`<p>Cells with a Péclet number over 1, where the field is too steep for centred differences to be trusted:
${count(peclet.cells)} of ${count(peclet.of)}; the largest number is ${peclet.max.toPrecision(3)}.</p>`
}
${
  decisions.length === 0
    ? undefined
    : html`<p>Multigrid preconditioners, which the steps (a picture at a time level each) may share:</p>
<ul>${decisionTexts(decisions, names, MOST_DECISIONS).map((text) => html`<li>${text}</li>`)}</ul>`
}
${table({ caption: 'Options', head: ['Option', 'Value'], rows: rows(options) })}
${table({ caption: 'Versions', head: ['Part', 'Version'], rows: [...rows(versions), ['kernel build', build]] })}
</section>`;
}

/**
 * A run as one HTML page that stands alone: no scripts, every picture in the page. It shows the pictures, log
 * densities, scores, convergence, cost and options; of many pictures, the first six in detail.
 *
 * @throws SeedspanError `UNSUPPORTED` where sharp, @observablehq/plot or linkedom is missing; `SHAPE_MISMATCH`;
 *   `UNKNOWN_OPTION`.
 */
export async function report(input: ReportInput): Promise<string> {
  const known = [
    'pictures',
    'names',
    'result',
    'embedded',
    'comparison',
    'fixedPointRtol',
    'options',
    'versions',
  ];
  checkOptionNames('report', input, known);
  const { pictures, names, result, embedded, comparison } = input;
  const { images, height, width } = result.report.shape;
  if (names.length !== images || pictures.shape[0] !== images) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `report: ${images} images were computed, but there are ${pictures.shape[0]} pictures and ${names.length} names`,
    );
  }
  const { status, time, solves, iterations } = result.report;
  const shown = names.slice(0, MAX_SERIES);
  const title = `Score pre-computation: ${plural(images, 'picture')}, ${height} × ${width}`;
  const figures = <T>(draw: (name: string, image: number) => Promise<T>) => Promise.all(shown.map(draw));
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<main>
<header>
<h1>${title}</h1>
<p>${summary(result.report)}</p>
<p class="verdict ${status === 'converged' ? 'good' : 'bad'}">${verdict(status)}</p>
<dl class="figures">
<div><dt>Time in all</dt><dd>${duration(time.total)}</dd></div>
<div><dt>Linear systems solved</dt><dd>${count(solves)}</dd></div>
<div><dt>Krylov iterations</dt><dd>${count(iterations)}</dd></div>
<div><dt>Iterations a system</dt><dd>${solves === 0 ? '–' : (iterations / solves).toFixed(1)}</dd></div>
</dl>
</header>
<section><h2>Pictures</h2>
${shown.length < images ? html`<p>The first ${shown.length} of ${count(images)}.</p>` : undefined}
<div class="row pairs">${await figures((name, image) => pictureFigures(pictures, embedded, image, name))}</div></section>
<section><h2>Log density over time</h2>
<p>Bright: points are likely. Diffusion spreads the density out as time goes on.</p>
${await figures((name, image) => densityMaps(result, image, name))}</section>
<section><h2>Scores</h2>
<p>${
    result.scores.shape.length === 5
      ? 'The scheme gives one component: red where the log density grows along the flattened grid, blue where it falls.'
      : 'Arrows point to where the density grows fastest, drawn over the log density of the same time (each map on its own scale). Their length grows with the square root of the magnitude; not every grid point has one.'
  }</p>
${await figures((name, image) => scoreFigures(result, image, name))}</section>
${await convergenceSection(input)}
${comparison === undefined || comparison.length === 0 ? undefined : await comparisonSection(comparison)}
${detailsSection(input)}
</main>
</body>
</html>
`;
  return page.text;
}
