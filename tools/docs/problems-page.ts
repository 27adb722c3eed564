import { type ProblemCode, problems } from '@tocsin/contracts';
import { code, table } from './markdown.ts';

export const problemsPage = (): string => `
Every error answer is RFC 9457 \`application/problem+json\`: \`{type, title, status, code, detail, errors?[{path, code, message}]}\`.
\`code\` is one of these; \`detail\` says what it was this time.

${table(
  ['code', 'status', 'title'],
  (Object.keys(problems) as ProblemCode[]).map((name) => [
    code(name),
    String(problems[name].status),
    problems[name].title,
  ]),
)}
`;
