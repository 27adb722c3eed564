import { Module, type DynamicModule } from '@nestjs/common';
import { SINK, type Sink } from './sink-store.ts';
import { SinkController } from './sink.controller.ts';

@Module({})
export class SinkModule {
  static of(sink: Sink): DynamicModule {
    return { module: SinkModule, controllers: [SinkController], providers: [{ provide: SINK, useValue: sink }] };
  }
}
