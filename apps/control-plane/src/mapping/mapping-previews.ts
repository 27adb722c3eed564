import { connectorOf, connectors } from '@tocsin/connectors';
import { emptyMapping } from '@tocsin/domain/mapping-rules';
import type { Clock } from '@tocsin/nest-shell';
import type { ConfigurationStore } from '../configuration-store.ts';
import { WebhookRow } from '../entities.ts';
import { invalidField } from '../fields.ts';
import type { PreviewMapping } from './mapping.dto.ts';
import { payloadOf } from './payload-of.ts';
import { extractedOf, newWebhookSettings, pathsIn, previewOf } from './preview.ts';
import { mappingIn } from './save-mapping.ts';

/** Shows what a mapping makes of a payload, before it is saved. */
export class MappingPreviews {
  constructor(
    private readonly store: ConfigurationStore,
    private readonly clock: Clock,
  ) {}

  /** @throws Problem validation-failed, not-found */
  async run(workspaceId: string, input: PreviewMapping) {
    const { webhook_id: id } = input;
    const row =
      id === undefined ? undefined : await this.store.inWorkspace(workspaceId, (tx) => tx.find(WebhookRow, id));
    const connector = connectorIn(input.connector ?? row?.connector ?? 'generic');
    const payload = payloadOf(input);
    const given = input.mapping !== undefined || input.field_mapping !== undefined;
    const mapping = given ? (mappingIn(input) ?? null) : (row?.mapping ?? null);
    const preview = previewOf({
      ...{ connector, payload, mapping, settings: row ?? newWebhookSettings },
      receivedAt: this.clock().toISOString(),
      ...(row === undefined ? {} : { webhookId: row.id }),
    });
    return {
      connector: connector.source.id,
      ...preview,
      extracted: extractedOf(preview, mapping),
      mapping: mapping ?? emptyMapping,
      paths: pathsIn(connector, payload),
    };
  }
}

function connectorIn(id: string) {
  const connector = connectorOf(id);
  if (connector) return connector;
  const ids = connectors.map(({ source }) => source.id).join(', ');
  throw invalidField('connector', 'unknown-connector', `must be one of ${ids}`);
}
