import { scopes, type Scope } from '@tocsin/contracts';
import { Type } from 'class-transformer';
import {
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsISO8601,
  IsObject,
  IsString,
  Length,
  Matches,
  ValidateNested,
} from 'class-validator';
import { CLEAN_TEXT, Optional, OptionalOrNull } from './fields.ts';
import { WorkspaceSettingsInput } from './intake/intake.dto.ts';

const clean = { message: '$property must not contain control characters such as line breaks' };
const slug = { message: 'slug may hold lower-case letters, digits and single dashes between them' };
const SLUG = /^[a-z0-9]+(-[a-z0-9]+)*$/;

export class CreateWorkspace {
  @IsString() @Length(1, 200) @Matches(CLEAN_TEXT, clean) name!: string;
  /** Default: made from the name. */
  @Optional() @IsString() @Length(1, 63) @Matches(SLUG, slug) slug?: string;
  @Optional() @IsObject() @ValidateNested() @Type(() => WorkspaceSettingsInput) settings?: WorkspaceSettingsInput;
}

export class UpdateWorkspace {
  @Optional() @IsString() @Length(1, 200) @Matches(CLEAN_TEXT, clean) name?: string;
  @Optional() @IsString() @Length(1, 63) @Matches(SLUG, slug) slug?: string;
  @Optional() @IsObject() @ValidateNested() @Type(() => WorkspaceSettingsInput) settings?: WorkspaceSettingsInput;
}

export class CreateApiKey {
  @IsString() @Length(1, 200) @Matches(CLEAN_TEXT, clean) name!: string;
  @IsArray() @ArrayMinSize(1) @ArrayUnique() @IsIn(scopes, { each: true }) scopes!: Scope[];
  /** ISO 8601 with an offset; null or absent = never. */
  @OptionalOrNull()
  @IsISO8601({ strict: true })
  @Matches(/T.*(Z|[+-]\d\d:\d\d)$/, { message: 'expires_at must have a time and an offset' })
  expires_at?: string | null;
}

export class UpdateApiKey {
  @Optional() @IsString() @Length(1, 200) @Matches(CLEAN_TEXT, clean) name?: string;
  @Optional() @IsArray() @ArrayMinSize(1) @ArrayUnique() @IsIn(scopes, { each: true }) scopes?: Scope[];
}
