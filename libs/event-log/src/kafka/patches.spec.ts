import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { patchKafkajs } from './patches.ts';

interface Encoder {
  buffer: Buffer;
  writeVarInt(value: number): Encoder;
  writeUVarInt(value: number): Encoder;
}
interface Decoder {
  readVarInt(): number;
  readUVarInt(): number;
  offset: number;
}
const load = createRequire(import.meta.url);

it('numbers of the protocol are written as kafkajs writes and reads them', () => {
  const Encoder = load('kafkajs/src/protocol/encoder') as new (size?: number) => Encoder;
  const Decoder = load('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => Decoder;
  // Of a second copy of the module: as it was before.
  const path = load.resolve('kafkajs/src/protocol/encoder');
  const patched = load.cache[path];
  Reflect.deleteProperty(load.cache, path);
  const Original = load(path) as new (size?: number) => Encoder;
  load.cache[path] = patched;
  patchKafkajs();
  expect(Encoder).not.toBe(Original);
  fc.assert(
    fc.property(fc.array(fc.integer(), { maxLength: 20 }), fc.integer({ min: 0, max: 30 }), (numbers, size) => {
      const [ours, theirs] = [new Encoder(size), new Original(size)];
      for (const number of numbers) {
        for (const one of [ours, theirs]) one.writeVarInt(number).writeUVarInt(number >>> 1);
      }
      expect(ours.buffer).toEqual(theirs.buffer);
      const decoder = new Decoder(ours.buffer);
      for (const number of numbers)
        expect([decoder.readVarInt(), decoder.readUVarInt()]).toEqual([number, number >>> 1]);
    }),
  );
});
