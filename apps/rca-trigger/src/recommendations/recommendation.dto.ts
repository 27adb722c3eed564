import { Problem } from '@tocsin/nest-shell';
import {
  recommendationLevels,
  recommendationStatuses,
  type RecommendationLevel,
  type RecommendationStatus,
} from '@tocsin/domain/rca';
import { Transform } from 'class-transformer';
import { IsIn, IsInt, IsNumber, IsString, Length, Matches, Max, MaxLength, Min, ValidateIf } from 'class-validator';

/** The field may be left out; null is not let through. */
const Optional = (): PropertyDecorator => ValidateIf((_body, value) => value !== undefined);
const OptionalOrNull = (): PropertyDecorator => ValidateIf((_body, value) => value !== undefined && value !== null);
/** No lone surrogates and no U+0000, which PostgreSQL refuses. */
const LINE = /^[^\p{Cc}\p{Cs}]*$/u;
const line = { message: '$property must be one line of text' };
const TEXT = /^[^\0\p{Cs}]*$/u;
const text = { message: '$property must be text without U+0000' };
const blank = { message: '$property must not be blank' };
const number = { allowNaN: false, allowInfinity: false } as const;

class RecommendationFields {
  @Optional() @IsString() @MaxLength(10_000) @Matches(TEXT, text) description?: string;
  /** In the currency of the workspace. */
  @OptionalOrNull() @IsNumber(number) @Min(-1e12) @Max(1e12) potential_savings?: number | null;
  @OptionalOrNull() @IsIn(recommendationLevels) effort?: RecommendationLevel | null;
  @OptionalOrNull() @IsIn(recommendationLevels) risk?: RecommendationLevel | null;
}

export class CreateRecommendation extends RecommendationFields {
  @IsString() @Length(1, 500) @Matches(LINE, line) @Matches(/\S/, blank) title!: string;
  /** The incident that it is about. */
  @OptionalOrNull() @Matches(/^inc_[a-z2-7]{26}$/, { message: 'incident_id must be an id, e.g. inc_…' }) incident_id?:
    string | null;
}

export class UpdateRecommendation extends RecommendationFields {
  @Optional() @IsString() @Length(1, 500) @Matches(LINE, line) @Matches(/\S/, blank) title?: string;
  @Optional() @IsIn(recommendationStatuses) status?: RecommendationStatus;
}

export class CommentOnRecommendation {
  @IsString() @Length(1, 10_000) @Matches(TEXT, text) @Matches(/\S/, blank) text!: string;
}

export class ListRecommendations {
  @Optional() @Matches(/^[a-z0-9_]{1,100}$/, { message: 'incident_id must be an id, e.g. inc_…' }) incident_id?: string;
  @Optional() @IsIn(recommendationStatuses) status?: RecommendationStatus;
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value,
  )
  @IsInt()
  @Min(1)
  @Max(200)
  limit = 50;
  @Optional() @IsString() @MaxLength(200) cursor?: string;
}

export class RecommendationPath {
  @Matches(/^[a-z0-9_]{1,100}$/, { message: 'id must be an id, e.g. rec_…' }) id!: string;
}

/** `If-Match` as a version: absent or `*` asks for none. @throws Problem for anything that no ETag of ours looks like */
export function versionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const [, version] = /^"(\d{1,9})"$/.exec(ifMatch.trim()) ?? [];
  if (version === undefined)
    throw new Problem('precondition-failed', 'If-Match must be the ETag of an earlier answer, e.g. "3".');
  return Number(version);
}
