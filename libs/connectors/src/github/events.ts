import { isObject, textAt, valueAlong, valueAt } from '@tocsin/domain/mapping';
import type { EventReader } from '../kit/event-reader.ts';
import { codeScanning, dependabot, secretScanning, vulnerability } from './findings.ts';
import { checkRun, checkSuite, commitStatus, deploymentStatus, workflowJob, workflowRun } from './runs.ts';

const holds =
  (...keys: string[]) =>
  (event: unknown): boolean =>
    isObject(valueAlong(event, keys));

const isSecret = (event: unknown): boolean =>
  textAt(event, 'alert', 'secret_type') !== undefined && valueAt(event, 'location') === undefined;

/**
 * The name of an event stands only in a header, which a proxy may drop and a stored payload may lack: the shape decides. The order
 * matters, since a deployment status may carry the workflow and the check run that caused it.
 */
const shapes: readonly [(event: unknown) => boolean, EventReader][] = [
  [holds('alert', 'security_advisory'), dependabot],
  [holds('alert', 'rule'), codeScanning],
  [isSecret, secretScanning],
  [(event) => textAt(event, 'alert', 'affected_package_name') !== undefined, vulnerability],
  [holds('deployment_status'), deploymentStatus],
  [holds('workflow_job'), workflowJob],
  [holds('workflow_run'), workflowRun],
  [holds('check_run'), checkRun],
  [holds('check_suite'), checkSuite],
  [(event) => textAt(event, 'context') !== undefined && textAt(event, 'sha') !== undefined, commitStatus],
];

/** The reader of an event; undefined for events that say nothing about a problem (pushes, pull requests, stars). */
export const readerOf = (event: unknown): EventReader | undefined => shapes.find(([fits]) => fits(event))?.[1];
