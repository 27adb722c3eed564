// Written by `node tools/connectors/registry.mjs` from the folders beside it. Do not edit: run it again.
import { registryOf } from './kit/registry-of.ts';
import { source as generic } from './generic/source.ts';
import { source as pagerduty } from './pagerduty/source.ts';
import { source as prometheus } from './prometheus/source.ts';

export const { connectors, connectorOf, connectorBySlug } = registryOf([generic, pagerduty, prometheus]);
