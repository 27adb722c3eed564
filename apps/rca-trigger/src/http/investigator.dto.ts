import { AsGiven } from '@tocsin/nest-shell';
import { recommendationLevels, type RecommendationLevel } from '@tocsin/domain/rca';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsISO8601,
  IsNumber,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';

const Optional = (): PropertyDecorator => ValidateIf((_body, value) => value !== undefined);
/** No lone surrogates and no U+0000, which PostgreSQL refuses. */
const TEXT = /^[^\0\p{Cs}]*$/u;
const text = { message: '$property must be text without U+0000' };
const LINE = /^[^\p{Cc}\p{Cs}]*$/u;
const line = { message: '$property must be one line of text' };
const number = { allowNaN: false, allowInfinity: false } as const;

/** Events of the catalogue that an investigator may say about its work. */
export const investigatorEventTypes = [
  'task.started',
  'task.completed',
  'task.failed',
  'conversation.completed',
  'approval.requested',
  'approval.granted',
] as const;
export const hypothesisKinds = ['change', 'related-alert', 'similar-incident', 'recurrence', 'unknown'] as const;

export class InvestigatorEvent {
  @IsIn(investigatorEventTypes) type!: (typeof investigatorEventTypes)[number];
  /** As the catalogue describes it; `incident_id` is set to the incident of the investigation. */
  @IsObject() @AsGiven() data!: Record<string, unknown>;
}

export class EvidenceInput {
  @IsString() @Length(1, 100) @Matches(LINE, line) kind!: string;
  @IsOptional() @IsString() @MaxLength(500) @Matches(LINE, line) id: string | null = null;
  @IsOptional() @IsISO8601({ strict: true }) @Matches(/T.*Z$/, { message: 'at must be in UTC' }) at: string | null =
    null;
  @IsString() @Length(1, 2_000) @Matches(TEXT, text) detail!: string;
}

export class HypothesisInput {
  @IsIn(hypothesisKinds) kind: (typeof hypothesisKinds)[number] = 'unknown';
  @IsString() @Length(1, 2_000) @Matches(TEXT, text) summary!: string;
  /** How strongly it is believed; they are ranked by it. */
  @IsNumber(number) @Min(0) @Max(1) score!: number;
  @IsArray() @ArrayMaxSize(20) @ValidateNested({ each: true }) @Type(() => EvidenceInput) evidence: EvidenceInput[] =
    [];
}

export class RecommendationInput {
  @IsString()
  @Length(1, 500)
  @Matches(LINE, line)
  @Matches(/\S/, { message: 'title must not be blank' })
  title!: string;
  @IsString() @MaxLength(10_000) @Matches(TEXT, text) description = '';
  /** In the currency of the workspace. */
  @IsOptional() @IsNumber(number) @Min(-1e12) @Max(1e12) potential_savings: number | null = null;
  @IsOptional() @IsIn(recommendationLevels) effort: RecommendationLevel | null = null;
  @IsOptional() @IsIn(recommendationLevels) risk: RecommendationLevel | null = null;
}

export class InvestigationProgress {
  /** What it is doing, for people. */
  @Optional() @IsString() @Length(1, 2_000) @Matches(TEXT, text) message?: string;
  @IsArray()
  @ArrayMaxSize(50)
  @ValidateNested({ each: true })
  @Type(() => InvestigatorEvent)
  events: InvestigatorEvent[] = [];
}

export class InvestigationResult {
  @IsIn(['completed', 'failed']) status!: 'completed' | 'failed';
  /** The cause in short, or what went wrong. */
  @IsString()
  @Length(1, 10_000)
  @Matches(TEXT, text)
  @Matches(/\S/, { message: 'summary must not be blank' })
  summary!: string;
  @IsArray()
  @ArrayMaxSize(10)
  @ValidateNested({ each: true })
  @Type(() => HypothesisInput)
  hypotheses: HypothesisInput[] = [];
  @IsArray()
  @ArrayMaxSize(20)
  @ValidateNested({ each: true })
  @Type(() => RecommendationInput)
  recommendations: RecommendationInput[] = [];
  @IsArray()
  @ArrayMaxSize(50)
  @ValidateNested({ each: true })
  @Type(() => InvestigatorEvent)
  events: InvestigatorEvent[] = [];
}

export class InvestigationPath {
  @Matches(/^[a-z0-9_]{1,100}$/, { message: 'id must be an id, e.g. inc_…' }) id!: string;
  @Matches(/^[a-z0-9_]{1,100}$/, { message: 'rca must be an id, e.g. rca_…' }) rca!: string;
}
