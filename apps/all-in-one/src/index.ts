export { SinkController } from './sink/sink.controller.ts';
export * from './start.ts';
