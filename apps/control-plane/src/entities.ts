import type {
  ApiKeyBody,
  ConditionDocument,
  CorrelationRules,
  InvestigatorSettings,
  MappingDocument,
  Scope,
  SealedSecret,
  SubscriptionBody,
  WebhookBody,
} from '@tocsin/contracts';
import { Column, Entity, PrimaryColumn, type ValueTransformer } from 'typeorm';
import type { WorkspaceSettings } from './intake/intake.dto.ts';

// Column types are written out: no decorator metadata is emitted in this project.

/** bigint columns arrive as text; revisions stay far below 2^53. */
const revisionNumber: ValueTransformer = { to: (value: number) => value, from: (text: string) => Number(text) };

/** What every configuration row has. `revision` is the feed revision of its last change, and its ETag. */
export abstract class ConfigurationRow {
  @PrimaryColumn({ type: 'text' }) id!: string;
  @Column({ type: 'text', name: 'workspace_id' }) workspaceId!: string;
  @Column({ type: 'text' }) name!: string;
  @Column({ type: 'bigint', transformer: revisionNumber }) revision!: number;
  @Column({ type: 'timestamptz', precision: 3, name: 'created_at' }) createdAt!: Date;
  @Column({ type: 'timestamptz', precision: 3, name: 'updated_at' }) updatedAt!: Date;
}

@Entity({ schema: 'control_plane', name: 'workspaces' })
export class WorkspaceRow extends ConfigurationRow {
  @Column({ type: 'text' }) slug!: string;
  @Column({ type: 'text', name: 'wrapped_data_key' }) wrappedDataKey!: string;
  @Column({ type: 'jsonb', name: 'correlation_rules', nullable: true }) correlationRules!: CorrelationRules | null;
  @Column({ type: 'jsonb' }) settings!: WorkspaceSettings;
  @Column({ type: 'jsonb', nullable: true }) investigator!: InvestigatorSettings | null;
}

@Entity({ schema: 'control_plane', name: 'webhooks' })
export class WebhookRow extends ConfigurationRow {
  @Column({ type: 'text' }) description!: string;
  @Column({ type: 'text' }) connector!: string;
  @Column({ type: 'boolean' }) enabled!: boolean;
  @Column({ type: 'text', name: 'token_hmac' }) tokenHmac!: string;
  @Column({ type: 'text', name: 'sealed_token' }) sealedToken!: string;
  @Column({ type: 'jsonb', name: 'previous_tokens' }) previousTokens!: NonNullable<WebhookBody['previousTokens']>;
  @Column({ type: 'jsonb' }) auth!: WebhookBody['auth'];
  @Column({ type: 'jsonb', name: 'previous_auth', nullable: true }) previousAuth!: NonNullable<
    WebhookBody['previousAuth']
  > | null;
  @Column({ type: 'jsonb' }) secrets!: SealedSecret[];
  @Column({ type: 'text' }) respond!: WebhookBody['respond'];
  @Column({ type: 'integer', name: 'rate_limit_per_hour' }) rateLimitPerHour!: number;
  @Column({ type: 'integer', name: 'rate_limit_alerts_per_minute' }) rateLimitAlertsPerMinute!: number;
  @Column({ type: 'text', name: 'default_severity' }) defaultSeverity!: WebhookBody['defaultSeverity'];
  @Column({ type: 'text', name: 'severity_profile' }) severityProfile!: WebhookBody['severityProfile'];
  @Column({ type: 'jsonb' }) dedup!: WebhookBody['dedup'];
  @Column({ type: 'jsonb', name: 'open_when', nullable: true }) openWhen!: ConditionDocument | null;
  @Column({ type: 'jsonb' }) correlation!: WebhookBody['correlation'];
  @Column({ type: 'jsonb' }) rca!: WebhookBody['rca'];
  @Column({ type: 'jsonb' }) changes!: NonNullable<WebhookBody['changes']>;
  @Column({ type: 'text', name: 'over_limit' }) overLimit!: NonNullable<WebhookBody['overLimit']>;
  @Column({ type: 'jsonb' }) limits!: NonNullable<WebhookBody['limits']>;
  @Column({ type: 'timestamptz', precision: 3, name: 'unlocked_at', nullable: true }) unlockedAt!: Date | null;
  @Column({ type: 'text' }) mode!: NonNullable<WebhookBody['mode']>;
  @Column({ type: 'jsonb', nullable: true }) mapping!: MappingDocument | null;
  @Column({ type: 'text', name: 'incident_type', nullable: true }) incidentType!: string | null;
  @Column({ type: 'integer', name: 'auto_resolve_after_minutes', nullable: true }) autoResolveAfterMinutes!:
    number | null;
}

/** Optional parts of a subscription's document. */
export type SubscriptionOptions = Pick<
  SubscriptionBody,
  | ('transform' | 'signatures' | 'signingKeys' | 'template' | 'legacyUpdates' | 'occurrences')
  | ('filter' | 'delivery' | 'ordering' | 'retainWhilePaused' | 'maxInFlight' | 'maxPerSecond' | 'disableAfterDays')
>;

@Entity({ schema: 'control_plane', name: 'subscriptions' })
export class SubscriptionRow extends ConfigurationRow {
  @Column({ type: 'text' }) url!: string;
  @Column({ type: 'jsonb' }) events!: string[];
  @Column({ type: 'boolean' }) active!: boolean;
  @Column({ type: 'jsonb' }) secrets!: SealedSecret[];
  @Column({ type: 'jsonb' }) headers!: SubscriptionBody['headers'];
  @Column({ type: 'text' }) envelope!: SubscriptionBody['envelope'];
  @Column({ type: 'jsonb', name: 'retry_schedule' }) retrySchedule!: number[];
  @Column({ type: 'integer', name: 'timeout_seconds' }) timeoutSeconds!: number;
  @Column({ type: 'text', name: 'user_agent', nullable: true }) userAgent!: string | null;
  @Column({ type: 'integer', name: 'update_interval_seconds' }) updateIntervalSeconds!: number;
  /** What was added to subscriptions later, and is absent where nobody has asked for it. */
  @Column({ type: 'jsonb' }) options!: SubscriptionOptions;
}

@Entity({ schema: 'control_plane', name: 'api_keys' })
export class ApiKeyRow extends ConfigurationRow {
  @Column({ type: 'jsonb' }) scopes!: Scope[];
  @Column({ type: 'text', name: 'secret_hmac' }) secretHmac!: ApiKeyBody['secretHmac'];
  @Column({ type: 'timestamptz', precision: 3, name: 'expires_at', nullable: true }) expiresAt!: Date | null;
}
