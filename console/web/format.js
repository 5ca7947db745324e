// Words and numbers as people read them.

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const cents = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });
const moment = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

/** count writes a quantity with a true minus sign. */
export const count = (n) => whole.format(n).replace("-", "−");
export const compact = (n) => (Math.abs(n) < 10_000 ? whole.format(n) : short.format(n));
export const number = (n) => fine.format(n).replace("-", "−");
export const percent = (n) => `${whole.format(n * 100)} %`;

/** money writes minor units. Deltas carry no currency, so none is shown. */
export const money = (minor) => (Math.abs(minor) < 1_000_000 ? cents : whole).format(minor / 100);

export const time = (iso) => (iso ? clock.format(new Date(iso)) : "–");
export const date = (iso) => (iso ? day.format(new Date(iso)) : "–");
export const dateTime = (iso) => (iso ? moment.format(new Date(iso)) : "–");
export const fullTime = (iso) => (iso ? full.format(new Date(iso)) : "");

/** span writes how long it is from one moment to another, by its greatest unit or two. */
export function span(from, to) {
  const minutes = Math.max(0, Math.floor((new Date(to) - new Date(from)) / 60_000));
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 && hours < 10 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} d`;
}

const classes = {
  oversell: "Oversell",
  oversell_risk: "Oversell risk",
  phantom_inventory: "Phantom inventory",
  stock_mismatch: "Stock mismatch",
  stale_listing: "Stale listing",
  demand_spike: "Demand spike",
  promo_stockout: "Promotion stock-out",
  receipt_discrepancy: "Receipt discrepancy",
  return_distortion: "Return distortion",
  transfer_delay: "Transfer delay",
  fulfilment_overload: "Fulfilment overload",
  adjustment_anomaly: "Adjustment anomaly",
  cancellation_anomaly: "Cancellation anomaly",
  feed_stale: "Feed stale",
  guard_breach: "Guard breach",
};
export const classNames = Object.entries(classes);
export const className = (id) => classes[id] ?? words(id);

/** words makes "expected_sales" "expected sales". */
export const words = (id) => String(id).replaceAll("_", " ");

const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

/** figure writes one value of an exception's evidence. */
export function figure(value) {
  if (typeof value === "number") return Number.isInteger(value) ? count(value) : number(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return iso.test(value) ? dateTime(value) : value;
  return value === null ? "–" : JSON.stringify(value);
}
