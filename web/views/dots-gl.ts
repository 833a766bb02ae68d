import type { Settings } from '../settings.ts';
import { type DotDrawer, PAPER } from './dot-drawer.ts';

const VERTEX = `#version 300 es
layout(location = 0) in vec2 place;
uniform float size;
void main() {
  gl_Position = vec4(2.0 * place.y - 1.0, 1.0 - 2.0 * place.x, 0.0, 1.0);
  gl_PointSize = size;
}`;

/** A disc whose edge is a pixel wide. */
const FRAGMENT = `#version 300 es
precision highp float;
uniform float size;
uniform float radius;
uniform float strength;
uniform float ink;
out vec4 colour;
void main() {
  float edge = radius + 0.5 - size * distance(gl_PointCoord, vec2(0.5));
  colour = vec4(vec3(ink), strength * clamp(edge, 0.0, 1.0));
}`;

/** Below this radius, in pixels, dots grow fainter instead of smaller. */
const LEAST_RADIUS = 0.6;

/** Dots as WebGL 2 points. */
export class GlDots implements DotDrawer {
  readonly name = 'WebGL 2';
  readonly #gl: WebGL2RenderingContext;
  readonly #uniforms: Record<'size' | 'radius' | 'strength' | 'ink', WebGLUniformLocation | null>;
  #room = 0;

  /**
   * Undefined where there is no WebGL 2.
   *
   * @param fastOnly - nor where the browser says that it runs on the processor alone
   */
  static make(canvas: HTMLCanvasElement, fastOnly: boolean): GlDots | undefined {
    const gl = canvas.getContext('webgl2', {
      alpha: false,
      antialias: false,
      depth: false,
      failIfMajorPerformanceCaveat: fastOnly,
    });
    if (gl === null) return undefined;
    const program = link(gl);
    return program === undefined ? undefined : new GlDots(gl, program);
  }

  private constructor(gl: WebGL2RenderingContext, program: WebGLProgram) {
    this.#gl = gl;
    gl.useProgram(program);
    const uniform = (name: string) => gl.getUniformLocation(program, name);
    this.#uniforms = {
      size: uniform('size'),
      radius: uniform('radius'),
      strength: uniform('strength'),
      ink: uniform('ink'),
    };
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
  }

  draw(points: Float32Array, radius: number, ink: Settings['ink']): void {
    const gl = this.#gl;
    const { size, radius: radiusAt, strength, ink: inkAt } = this.#uniforms;
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    const paper = PAPER[ink] / 255;
    gl.clearColor(paper, paper, paper, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (points.byteLength !== this.#room) {
      gl.bufferData(gl.ARRAY_BUFFER, points, gl.STREAM_DRAW);
      this.#room = points.byteLength;
    } else gl.bufferSubData(gl.ARRAY_BUFFER, 0, points);
    const drawn = Math.max(radius, LEAST_RADIUS);
    gl.uniform1f(size, Math.ceil(2 * drawn + 1));
    gl.uniform1f(radiusAt, drawn);
    gl.uniform1f(strength, Math.min(1, (radius / drawn) ** 2));
    gl.uniform1f(inkAt, 1 - paper);
    gl.drawArrays(gl.POINTS, 0, points.length / 2);
  }

  finish(): void {
    const gl = this.#gl;
    // `finish` returns early in some browsers; a pixel read cannot.
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  }
}

function link(gl: WebGL2RenderingContext): WebGLProgram | undefined {
  const program = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(type);
    if (shader === null) return undefined;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : undefined;
}
