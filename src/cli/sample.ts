import { Command } from 'commander';
import type { Context } from './context.ts';
import { sampleFieldCommand } from './sample-field.ts';
import { sampleModelCommand } from './sample-model.ts';
import { sampleOnnxCommand } from './sample-onnx.ts';

/** `seedspan sample`: everything that draws samples. */
export function sampleCommand(context: Context): Command {
  return new Command('sample')
    .description('Draw samples.')
    .addCommand(sampleFieldCommand(context))
    .addCommand(sampleModelCommand(context))
    .addCommand(sampleOnnxCommand(context));
}
