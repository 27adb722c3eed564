import type { Type as Class } from '@nestjs/common';
import { RequestMethod } from '@nestjs/common';
import {
  HEADERS_METADATA,
  HTTP_CODE_METADATA,
  METHOD_METADATA,
  MODULE_METADATA,
  PATH_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants.js';
import { SinkController } from '@tocsin/all-in-one';
import { controlPlane } from '@tocsin/control-plane';
import { incidentStore } from '@tocsin/incident-store';
import { ingressGateway } from '@tocsin/ingress-gateway';
import { type ClassPipe, HealthController } from '@tocsin/nest-shell';
import { outboundDispatcher } from '@tocsin/outbound-dispatcher';
import { rcaTrigger } from '@tocsin/rca-trigger';
import { readRoutes, type Route as WrittenRoute } from '../docs/routes-page.ts';

/** A route as it runs: what its handler is given, and by which classes that is checked. */
export interface Route extends WrittenRoute {
  handler: string;
  /** Status of an answer that the handler returns. */
  status: number;
  body: Class<object> | undefined;
  query: Class<object> | undefined;
  params: Class<object> | undefined;
  /** Names of the request headers that the handler reads by name, in lower case. */
  headers: string[];
  /** Headers that every answer of the handler carries. */
  answerHeaders: string[];
}

/** Numbers of Nest's RouteParamtypes, which it does not export. */
const BODY = 3;
const QUERY = 4;
const PARAM = 5;
const HEADERS = 6;

interface Argument {
  data?: unknown;
  pipes?: readonly unknown[];
}

const read = (key: string, target: object): unknown => Reflect.getMetadata(key, target);

function controllersOf(module: Class): Class[] {
  const imported = (read(MODULE_METADATA.IMPORTS, module) ?? []) as unknown[];
  const own = (read(MODULE_METADATA.CONTROLLERS, module) ?? []) as Class[];
  return [...own, ...imported.flatMap((one) => (typeof one === 'function' ? controllersOf(one as Class) : []))];
}

const runningControllers = (): Class[] => [
  ...[controlPlane, incidentStore, ingressGateway, outboundDispatcher, rcaTrigger].flatMap(({ module }) =>
    controllersOf(module),
  ),
  HealthController,
  SinkController,
];

const pathOf = (controller: Class, handler: object): string => {
  const parts = [read(PATH_METADATA, controller), read(PATH_METADATA, handler)] as string[];
  return `/${parts
    .map((part) => part.replace(/^\/|\/$/g, ''))
    .filter(Boolean)
    .join('/')}`;
};

function classOf(given: readonly Argument[]): Class<object> | undefined {
  const pipes = given.flatMap(({ pipes: all = [] }) => all);
  return (pipes.find((pipe) => typeof pipe === 'object' && pipe !== null && 'Class' in pipe) as ClassPipe | undefined)
    ?.Class;
}

function handlersOf(controller: Class): Omit<Route, 'scopes' | 'app'>[] {
  const prototype = controller.prototype as Record<string, object>;
  return Object.getOwnPropertyNames(prototype).flatMap((handler) => {
    const verb = handler === 'constructor' ? undefined : read(METHOD_METADATA, prototype[handler] as object);
    if (typeof verb !== 'number') return [];
    const method = RequestMethod[verb] as string;
    const argumentsOf = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler) ?? {}) as Record<
      string,
      Argument
    >;
    const of = (kind: number) =>
      Object.entries(argumentsOf).flatMap(([key, argument]) => (key.startsWith(`${kind}:`) ? [argument] : []));
    const run = prototype[handler] as object;
    return [
      {
        method,
        path: pathOf(controller, run),
        handler,
        status: (read(HTTP_CODE_METADATA, run) as number | undefined) ?? (method === 'POST' ? 201 : 200),
        body: classOf(of(BODY)),
        query: classOf(of(QUERY)),
        params: classOf(of(PARAM)),
        headers: of(HEADERS).flatMap(({ data }) => (typeof data === 'string' ? [data.toLowerCase()] : [])),
        answerHeaders: ((read(HEADERS_METADATA, run) ?? []) as { name: string }[]).map(({ name }) =>
          name.toLowerCase(),
        ),
      },
    ];
  });
}

/** `GET /api/v1/incidents/{id}`: how a route is named everywhere here. */
export const nameOf = ({ method, path }: Pick<Route, 'method' | 'path'>): string =>
  `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`;

/**
 * Every route that answers something: from the controllers' decorators as they run (classes, statuses) and as they are written (who
 * needs which scope, and which handlers only say 405).
 */
export function allRoutes(): Route[] {
  const running = runningRoutes();
  return readRoutes().flatMap((written) => {
    const found = running.get(nameOf(written));
    return found ? [{ ...found, ...written }] : [];
  });
}

const runningRoutes = () =>
  new Map(
    runningControllers()
      .flatMap(handlersOf)
      .map((route) => [nameOf(route), route]),
  );

/** Routes of controllers that no module of their service names: nobody would ever be answered. */
export function unservedRoutes(): string[] {
  const running = runningRoutes();
  return readRoutes()
    .map(nameOf)
    .filter((name) => !running.has(name));
}
