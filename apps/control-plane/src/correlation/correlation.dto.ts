import { AsGiven } from '@tocsin/nest-shell';
import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
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
const strategies = ['first', 'sum'] as const;
const priorityOrders = ['asc', 'desc'] as const;
const appliesTo = ['both', 'alert'] as const;

export class CorrelationRuleInput {
  @IsString() @Length(1, 200) @Matches(CLEAN_TEXT, clean) name!: string;
  @IsBoolean() enabled = true;
  /** 0 is tried first. */
  @IsInt() @Min(0) @Max(1_000) priority = 100;
  @IsNumber() @Min(0) @Max(1) weight = 1;
  /** Whether constant conditions must hold for the incident, too. */
  @IsIn(appliesTo) applies_to: (typeof appliesTo)[number] = 'both';
  @AsGiven() @IsObject() conditions!: Record<string, unknown>;
}

/** A set of correlation rules (product P10). */
export class CorrelationRulesInput {
  @Optional() @IsBoolean() enabled?: boolean;
  @Optional() @IsIn(strategies) strategy?: (typeof strategies)[number];
  /** Above 1 it can be reached by `sum` only. */
  @Optional() @IsNumber() @Min(0) @Max(10) min_match_weight?: number;
  @Optional() @IsIn(priorityOrders) priority_order?: (typeof priorityOrders)[number];
  /** 0 = incidents of any age. */
  @Optional() @IsInt() @Min(0) @Max(8_760) candidate_max_age_hours?: number;
  @Optional()
  @IsArray()
  @ArrayMaxSize(200)
  @ValidateNested({ each: true })
  @Type(() => CorrelationRuleInput)
  rules?: CorrelationRuleInput[];
}

/** The rule document: bare, or as `correlation_rules` beside `enable_correlation`. Null = no rules. */
export class PutCorrelationRules extends CorrelationRulesInput {
  @Optional() @IsBoolean() enable_correlation?: boolean;
  @OptionalOrNull()
  @IsObject()
  @ValidateNested()
  @Type(() => CorrelationRulesInput)
  correlation_rules?: CorrelationRulesInput | null;
}

/** Queries are texts; what is no whole number stays one and is refused. */
const Whole = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value,
  );

/** Over which time rules are tried, and how many changes are listed. */
export class RuleTestQuery {
  @Whole() @IsInt() @Min(1) @Max(168) hours = 24;
  @Whole() @IsInt() @Min(1) @Max(200) limit = 50;
}
