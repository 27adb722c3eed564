import type { Payload } from './compile.ts';
import { payloadOfSample, type SampleRequest } from './expected-result.ts';

export interface Sample {
  /** `trigger.json`, `form.txt` … */
  name: string;
  payload: Payload;
  expected: unknown;
}

/** The samples of a connector: `<name>.<ext>`, `<name>.expected.json`, and where the request matters `<name>.request.json`. */
export function samplesOf(files: readonly string[], read: (file: string) => Uint8Array): Sample[] {
  const json = (file: string): unknown =>
    files.includes(file) ? JSON.parse(Buffer.from(read(file)).toString('utf8')) : undefined;
  return [...files]
    .sort()
    .filter((file) => !/\.(?:expected|request)\.json$/.test(file))
    .map((file) => {
      const stem = file.replace(/\.\w+$/, '');
      const payload = payloadOfSample(read(file), json(`${stem}.request.json`) as SampleRequest | undefined);
      return { name: file, payload, expected: json(`${stem}.expected.json`) };
    });
}
