/**
 * The quality with which the organisation lets an assistant be certified: a percentage for each family, empty where the
 * proposed one holds. Its value is the whole of `quality`, in shares of one.
 */

import { formatNumber, t } from "../core/i18n.js";
import { groupField, numberField } from "./fields.js";

/** What the taxonomy proposes, in per cent; a test compares. */
export const PROPOSED = Object.freeze({ Q1: 80, Q2: 70, Q3: 70, Q4: 70, Q5: 70, Q6: 70 });
const LOWEST = 30;

/** @param {{name: string, label: string, hint?: any, onEdit: (value: object) => void}} options */
export function qualityField({ name, label, hint, onEdit }) {
  let value = {};
  const parts = Object.entries(PROPOSED).map(([family, proposed]) =>
    numberField({
      name: `${name}.${family}`,
      label: familyLabel(family),
      min: LOWEST,
      max: 100,
      step: 0.1,
      empty: null,
      placeholder: t("{number} % proposed", { number: formatNumber(proposed) }),
      onEdit: (percent) => {
        value = { ...value, [family]: typeof percent === "number" ? Math.round(percent * 10) / 1000 : percent };
        onEdit(value);
      },
    }),
  );
  return groupField({
    name,
    label,
    hint,
    style: "builder-grid quality",
    parts,
    set(wanted) {
      value = typeof wanted === "object" && wanted !== null ? wanted : {};
      for (const one of parts) one.set(percentOf(value[one.name.slice(name.length + 1)]));
    },
  });
}

/** @param {any} share of one; what is no number is shown as it is */
function percentOf(share) {
  return typeof share === "number" ? Math.round(share * 1000) / 10 : (share ?? null);
}

function familyLabel(family) {
  return {
    Q1: t("Grounded answers"),
    Q2: t("Correct answers"),
    Q3: t("Right source cited"),
    Q4: t("Says when it does not know"),
    Q5: t("Robustness"),
    Q6: t("Does not give in to insistence"),
  }[family];
}
