import { z } from 'zod';
import { share, text } from './fields.ts';

/** One limit for every feature, or a limit per feature. */
function perFeature<T extends z.ZodType>(limit: T) {
  return z.union([limit, z.record(text, limit)], { error: 'write one limit, or a limit per feature' });
}

export const gates = z.strictObject({
  min_rows: z.int().min(0).default(1).describe('minimum rows of a window; 0 allows an empty publication'),
  max_drop: share
    .optional()
    .describe('maximum drop in rows, as a share, from the superseded publication, or else from the previous window'),
  max_quarantine_rate: share.default(0.01).describe('maximum share of quarantined rows'),
  max_score_psi: z
    .number()
    .positive()
    .optional()
    .describe("maximum drift of the scores (PSI) from the bundle's reference and from the previous window"),
  psi_min_rows: z.int().min(1).default(500).describe('minimum scored rows for the drift check'),
  max_feature_psi: perFeature(z.number().positive())
    .optional()
    .describe("maximum drift (PSI) of a feature from the bundle's reference; one limit, or one per feature"),
  max_null_share: perFeature(share).optional().describe('maximum share of nulls of a feature; one limit, or one per feature'),
  min_auc: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('minimum AUC of the newest window whose outcome is known, by the upper bound of its 95 % interval'),
  max_calibration_error: share
    .optional()
    .describe('maximum mean difference between score and outcome of the newest window whose outcome is known'),
  on_evaluation: z
    .enum(['warn', 'refuse'])
    .default('warn')
    .describe('whether a failed min_auc or max_calibration_error refuses the run or only warns'),
});
