import { readdirSync, readFileSync } from 'node:fs';
import { folderOf } from '@tocsin/connectors';

/** A payload as the platform sends it, with what of its request matters. */
export interface SamplePayload {
  name: string;
  contentType: string;
  headers: Readonly<Record<string, string>>;
  /** The address after `?`. */
  query: string;
  body: string;
}

/** What the README of a connector says to people, in Markdown. */
export interface ConnectorGuide {
  /** One text per step or paragraph. */
  setupSteps: readonly string[];
  authentication: string;
  resolves: string;
  traps: string;
}

/** The committed sample payloads of a connector, by name. Reads files: keep the result. */
export function samplePayloadsOf(id: string): SamplePayload[] {
  const folder = new URL('samples/', folderOf(id));
  const files = readdirSync(folder).sort();
  return files
    .filter((file) => !/\.(?:expected|request)\.json$/.test(file))
    .map((file) => {
      const name = file.replace(/\.\w+$/, '');
      const request = files.includes(`${name}.request.json`)
        ? (JSON.parse(readFileSync(new URL(`${name}.request.json`, folder), 'utf8')) as Request)
        : {};
      return {
        name,
        contentType: request.content_type ?? 'application/json',
        headers: request.headers ?? {},
        query: request.query ?? '',
        body: readFileSync(new URL(file, folder), 'utf8'),
      };
    });
}

interface Request {
  content_type?: string | null;
  headers?: Record<string, string>;
  query?: string;
}

/** What the README of a connector says. Reads a file: keep the result. */
export function guideOf(id: string): ConnectorGuide {
  const readme = readFileSync(new URL('README.md', folderOf(id)), 'utf8');
  return {
    setupSteps: stepsIn(sectionOf(readme, 'Set-up')),
    authentication: sectionOf(readme, 'Authentication'),
    resolves: sectionOf(readme, 'What resolves'),
    traps: sectionOf(readme, 'Traps'),
  };
}

/** The text below a heading of the second level, up to the next one. */
function sectionOf(readme: string, heading: string): string {
  const [, after = ''] = readme.split(`\n## ${heading}\n`);
  return (after.split(/\n## /)[0] ?? '').trim();
}

/** Numbered items and paragraphs, each with the lines and code that belong to it. */
export function stepsIn(section: string): string[] {
  const steps: string[] = [];
  let fenced = false;
  let open = false;
  for (const line of section.split('\n')) {
    const isFence = line.trimStart().startsWith('```');
    const starts = !fenced && (/^\d+\. /.test(line) || (!open && !isFence && /^\S/.test(line)));
    if (starts || steps.length === 0) steps.push(line.replace(/^\d+\. /, ''));
    else steps.push(`${steps.pop() ?? ''}\n${line}`);
    if (isFence) fenced = !fenced;
    open = fenced || line.trim() !== '';
  }
  return steps.map((step) => step.trim()).filter((step) => step !== '');
}
