import { isObject, pairsOf, textOf, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

const column = (element: unknown, name: string): unknown => valueAt(element, 'result', name);

/**
 * Words by which a search of the user's own says what became of the alert. Columns called status or state mostly hold something else
 * (an HTTP code, "success" of a login), and a row that was only found must never be read as the end of an alert.
 */
const STATUS_WORD =
  /^(?:resolved?|recover(?:ed|y)|clear(?:ed)?|closed?|fixed|ok|normal|ack(?:ed)?|acknowledged?|triggered|firing|open(?:ed)?|new)$/i;

function statusOfRow({ element }: Reading): unknown {
  for (const name of ['status', 'state']) {
    const word = textOf(column(element, name))?.trim();
    if (word !== undefined && STATUS_WORD.test(word)) return word;
  }
  return undefined;
}

/** The search and the host that it found. The search id (`sid`) is another one at each run. */
function keyOf({ element }: Reading): string | undefined {
  const search = textOf(valueAt(element, 'search_name'));
  if (search === undefined) return undefined;
  const host = textOf(column(element, 'host'));
  return host === undefined ? search : `${search}|${host}`;
}

function tagsOf({ element }: Reading): string[] {
  const columns = ['index', 'sourcetype', 'host'].map((name) => [name, column(element, name)] as const);
  return pairsOf(Object.fromEntries([['app', valueAt(element, 'app')], ...columns]));
}

/** One element per row: Splunk sends the first row only, own alert actions and scripts also send `results`. */
function split(root: unknown): readonly unknown[] {
  const rows = valueAt(root, 'results') ?? valueAt(root, 'result');
  if (!isObject(root) || !Array.isArray(rows)) return [root];
  const { results: _rows, ...around } = root;
  return rows.map((result: unknown) => ({ ...around, result }));
}

/** A search may find nothing to show of a row; its name or its link still says which one it was. */
const isRow = (element: unknown): boolean => {
  const row = valueAt(element, 'result');
  const named = ['search_name', 'results_link'].some((key) => textOf(valueAt(element, key)) !== undefined);
  return isObject(row) || (named && (row === undefined || row === null));
};

/** The webhook action of a saved search of Splunk Enterprise or Splunk Cloud: a fixed body with the first row found. */
export const source = {
  id: 'splunk',
  title: 'Splunk',
  category: 'monitoring',
  kind: 'alert',
  slugs: [],
  auth: { default: 'bearer', also: ['query_token', 'none', 'basic', 'api_key', 'hmac'] },
  deliveryIdHeaders: [],
  retries: { on429: false }, // the action is run once
  respond: 'accept',
  resolves: false,
  decode: ['json'],
  recognises: (root) =>
    isObject(root) &&
    ['result', 'results', 'results_link', 'search_name', 'sid'].some((key) => Object.hasOwn(root, key)),
  split,
  recognisesElement: isRow,
  ignore: [],
  fields: {
    title: ['$.search_name', '$.result.rule_title', '$.result.message', '$.result._raw'],
    description: ['$.result._raw', '$.result.message', '$.result.rule_description', '$.result.description'],
    services: ['$.result.service', '$.result.host', '$.result.source'],
    tags: [tagsOf],
    source: ['$.result.splunk_server', '$.app'],
    url: ['$.results_link'],
    dedupKey: [keyOf],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: { from: ['$.result._time'], orders: false }, // the time of the event that was found, not of a change
  status: { from: [statusOfRow], absent: 'triggered' },
  severity: {
    from: ['$.result.severity', '$.result.urgency', '$.result.log_level', '$.result.priority'],
    take: 'first-known',
  },
  keep: ({ element }) => (isObject(element) ? element : {}), // the columns are `result.*`, the search is `results_link`
} as const satisfies SourceConnector;
