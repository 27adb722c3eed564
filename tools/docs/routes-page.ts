import { routes, type ServiceName } from '@tocsin/contracts';
import ts from 'typescript';
import { code, table } from './markdown.ts';
import { classesOf, type Decoration, decorationsOf, filesBelow, parse, valueOf } from './source.ts';

export interface Route {
  method: string;
  path: string;
  /** Scopes of which the key needs one; null = no API key. */
  scopes: string[] | null;
  app: string;
}

const METHODS = ['Get', 'Post', 'Put', 'Patch', 'Delete'];

const textOf = (decoration: Decoration | undefined): string => {
  const [first] = decoration?.args ?? [];
  return first ? String(valueOf(first)) : '';
};

function routesOfClass(declared: ts.ClassDeclaration, app: string): Route[] {
  const onClass = decorationsOf(declared);
  const controller = onClass.find(({ name }) => name === 'Controller');
  if (!controller) return [];
  return declared.members.filter(ts.isMethodDeclaration).flatMap((method) => {
    const own = decorationsOf(method);
    const verb = own.find(({ name }) => METHODS.includes(name));
    // A handler that never returns only says 405.
    if (!verb || method.type?.kind === ts.SyntaxKind.NeverKeyword) return [];
    const guarded = [...own, ...onClass].some(
      ({ name, args }) => name === 'UseGuards' && args.some((guard) => guard.getText() === 'ApiKeyGuard'),
    );
    const named = own.find(({ name }) => name === 'Scopes') ?? onClass.find(({ name }) => name === 'Scopes');
    const scopes = named ? named.args.map((scope) => String(valueOf(scope))) : ['admin'];
    const path = `/${[textOf(controller), textOf(verb)].filter(Boolean).join('/')}`;
    return [{ method: verb.name.toUpperCase(), path, scopes: guarded ? scopes : null, app }];
  });
}

/** Every route that a controller answers, by app; those of the shell belong to every process. */
export function readRoutes(): Route[] {
  const controllers = ['apps', 'libs/nest-shell/src'].flatMap((folder) =>
    ['.controller.ts', '.controllers.ts'].flatMap((suffix) => filesBelow(folder, suffix)),
  );
  const found = controllers.flatMap((path) => {
    const app = path.startsWith('libs/') ? 'every service' : (path.split('/')[1] ?? '');
    return classesOf(parse(path)).flatMap((declared) => routesOfClass(declared, app));
  });
  const order = (route: Route) =>
    `${route.path} ${METHODS.findIndex((method) => method.toUpperCase() === route.method)}`;
  return found.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

/** The service that the public table of `contracts` gives a path to; first match wins. */
export function serviceOfPath(method: string, path: string): ServiceName | undefined {
  const fits = (pattern: string) => {
    const [wanted, given] = [pattern.split('/'), path.split('/')];
    return wanted.every(
      (part, at) => part.startsWith(':') || part === given[at] || (part === '' && at === wanted.length - 1),
    );
  };
  return routes.find((route) => (route.method === '*' || route.method === method) && fits(route.path))?.service;
}

const OF_WEBHOOKS = ['/webhook/', '/api/integrations/', '/v2/enqueue', '/prometheus/'];

const accessOf = ({ scopes, path }: Route): string => {
  if (scopes) return scopes.map(code).join(' or ');
  return OF_WEBHOOKS.some((prefix) => path.startsWith(prefix)) ? 'credential of the webhook' : 'open';
};

const shown = (path: string): string => code(path.replaceAll(/:(\w+)/g, '{$1}'));

export const routesPage = (): string => `
In all-in-one everything is on one port. In separate processes each service answers its own paths; \`libs/contracts/src/services.ts\` holds the
table that a proxy in front of them needs. A key with scope \`admin\` may do everything in its workspace. \`/health\` is also on the admin port
(\`PORT\` + 1000) of a service that runs alone; \`/sink\` exists in all-in-one only and is the receiver of the demo.

${table(
  ['method', 'path', 'needs', 'service'],
  readRoutes().map((route) => [route.method, shown(route.path), accessOf(route), route.app]),
)}

Lists take \`?limit=&cursor=\` and answer \`{items, next_cursor}\`. Errors: [problem codes](problems.md).
`;
