// What a Genesis dashboard must be: Grafana's own types, and for each panel kind the options of that panel's plugin.
import type { Dashboard, FieldConfig, FieldConfigSource, Panel } from "@grafana/schema";
import type * as stat from "@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen.d.ts";
import type * as stateTimeline from "@grafana/schema/dist/types/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen.d.ts";
import type * as table from "@grafana/schema/dist/types/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen.d.ts";
import type * as timeseries from "@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen.d.ts";

/** T as JSON writes it: an enum member is its plain value. */
type Json<T> = T extends string ? `${T}`
  : T extends number ? (`${T}` extends `${infer N extends number}` ? N : never)
  : T extends object ? { [K in keyof T]: Json<T[K]> }
  : T;

/** A query as Grafana's Prometheus data source takes it. */
type PrometheusQuery = {
  refId: string;
  expr: string;
  editorMode: "code";
  legendFormat?: string;
  format?: "time_series" | "table";
  instant?: boolean;
  range: boolean;
};

/** Grafana leaves queries, options and `custom` open, and silently ignores what it does not know; here they are closed. */
type KindOfPanel<Kind extends string, Options, Custom> = Omit<Panel, "type" | "targets" | "options" | "fieldConfig"> & {
  type: Kind;
  title: string;
  description: string;
  targets: PrometheusQuery[];
  options: Options;
  fieldConfig: Omit<FieldConfigSource, "defaults"> & { defaults: Omit<FieldConfig, "custom"> & { custom?: Custom } };
};

type GenesisPanel =
  | KindOfPanel<"stat", stat.Options, undefined>
  | KindOfPanel<"state-timeline", stateTimeline.Options, stateTimeline.FieldConfig>
  | KindOfPanel<"table", table.Options, table.FieldConfig>
  | KindOfPanel<"timeseries", timeseries.Options, timeseries.FieldConfig>;

export type GenesisDashboard = Json<Omit<Dashboard, "panels"> & { panels: GenesisPanel[] }>;
