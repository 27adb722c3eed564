import {
  syncAuthMethods,
  syncDirections,
  syncFieldsOut,
  syncFormats,
  syncSystems,
  type SyncAuthMethod,
  type SyncDirection,
  type SyncFieldOut,
  type SyncFormat,
  type SyncSystem,
} from '@tocsin/contracts';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { CLEAN_TEXT, Optional, OptionalOrNull } from '../fields.ts';

const clean = { message: '$property must not contain control characters such as line breaks' };
const Line =
  (max: number): PropertyDecorator =>
  (target, key) => {
    IsString()(target, key);
    Length(1, max)(target, key);
    Matches(CLEAN_TEXT, clean)(target, key);
  };

/** How Tocsin signs in, as an integration user of its own. */
export class SyncAuthInput {
  /** `basic`: user and password. `token`: an API token, with the e-mail address of its account (Jira Cloud) or alone (Jira Data Center). `oauth2`: client credentials. */
  @IsIn(syncAuthMethods) method!: SyncAuthMethod;
  @OptionalOrNull() @Line(200) username?: string | null;
  /** `oauth2`: where access tokens are given. */
  @OptionalOrNull() @IsString() @Length(1, 2_000) token_url?: string | null;
  @OptionalOrNull() @Line(500) client_id?: string | null;
  @OptionalOrNull() @Line(500) scope?: string | null;
  /** Password, API token or client secret. A value that reads as the mask leaves the stored one alone. */
  @Optional() @IsString() @Length(1, 4_000) @Matches(CLEAN_TEXT, clean) secret?: string;
}

/** Which status is which. */
export class StatusMapInput {
  /** Status of the incident → status there. Statuses that are left out are not told. */
  @Optional() @IsObject() out?: Record<string, unknown>;
  /** Status there → `open`, `acknowledged` or `resolved`. */
  @Optional() @IsObject() in?: Record<string, unknown>;
  /** Status of the incident → fields that must be set together with it, e.g. a resolution. */
  @Optional() @IsObject() with?: Record<string, unknown>;
}

/** One field of the incident, and one there. */
export class FieldMapInput {
  @IsIn(syncFieldsOut) field!: SyncFieldOut;
  @IsString() @Matches(/^[A-Za-z][A-Za-z0-9_.-]{0,99}$/) external!: string;
  @IsIn(syncDirections) direction: SyncDirection = 'both';
  /** Form of the value there: text, or an object with this key. */
  @IsIn(syncFormats) format: SyncFormat = 'text';
  /** Words of the incident → words there. */
  @IsObject() values: Record<string, unknown> = {};
  /** Words there → words of the incident, where the way back is another one. */
  @IsObject() values_in: Record<string, unknown> = {};
}

export class SyncLinkInput {
  @Optional() @IsBoolean() active?: boolean;
  @Optional() @ValidateNested() @Type(() => SyncAuthInput) auth?: SyncAuthInput;
  /** Jira: key of the project. */
  @OptionalOrNull() @IsString() @Matches(/^[A-Za-z][A-Za-z0-9_]{0,99}$/) project?: string | null;
  /** Jira: name of the issue type. */
  @OptionalOrNull() @Line(100) issue_type?: string | null;
  /** ServiceNow: the table. */
  @OptionalOrNull() @IsString() @Matches(/^[a-z][a-z0-9_]{0,79}$/) table?: string | null;
  /** `out`: only what happens here is told. `in`: only what happens there is taken over. */
  @Optional() @IsIn(syncDirections) direction?: SyncDirection;
  @Optional() @IsBoolean() comments?: boolean;
  /** Notes for the people who work on it; what happens to an incident is told in them. */
  @Optional() @IsBoolean() work_notes?: boolean;
  @Optional() @IsBoolean() status?: boolean;
  @Optional() @IsBoolean() fields?: boolean;
  @Optional() @IsObject() @ValidateNested() @Type(() => StatusMapInput) status_map?: StatusMapInput;
  @Optional()
  @IsArray()
  @ArrayMaxSize(50)
  @ValidateNested({ each: true })
  @Type(() => FieldMapInput)
  field_map?: FieldMapInput[];
  /** Fields that are set when an issue or record is made, as they are. */
  @Optional() @IsObject() create_fields?: Record<string, unknown>;
  /** A webhook of the workspace: incidents that it opened take the issue they are about, none is made. */
  @OptionalOrNull() @Matches(/^whk_[a-z2-7]{26}$/) webhook_id?: string | null;
  /** Seconds between two looks at what has changed there. */
  @Optional() @IsInt() @Min(5) @Max(3_600) poll_seconds?: number;
}

export class CreateSyncLink extends SyncLinkInput {
  @Line(200) name!: string;
  @IsIn(syncSystems) system!: SyncSystem;
  /** Address of the site or instance, without the path of its API. */
  @IsString() @Length(1, 2_000) base_url!: string;
}

export class UpdateSyncLink extends SyncLinkInput {
  @Optional() @Line(200) name?: string;
  /** Another one needs the credential again. */
  @Optional() @IsString() @Length(1, 2_000) base_url?: string;
}
