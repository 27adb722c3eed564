import type { Descriptions } from '../describe.ts';
import { access } from './access.ts';
import { changes } from './changes.ts';
import { correlation } from './correlation.ts';
import { documentation } from './documentation.ts';
import { events } from './events.ts';
import { incidents } from './incidents.ts';
import { ingest } from './ingest.ts';
import { investigators } from './investigators.ts';
import { operations } from './operations.ts';
import { silences } from './silences.ts';
import { subscriptions } from './subscriptions.ts';
import { syncLinks } from './sync-links.ts';
import { templates } from './templates.ts';
import { topology } from './topology.ts';
import { webhooks } from './webhooks.ts';

/** What is said of each route, by `METHOD /path/{parameter}`. */
export const descriptions: Descriptions = {
  ...ingest,
  ...incidents,
  ...investigators,
  ...webhooks,
  ...correlation,
  ...silences,
  ...topology,
  ...subscriptions,
  ...templates,
  ...syncLinks,
  ...changes,
  ...events,
  ...access,
  ...operations,
  ...documentation,
};
