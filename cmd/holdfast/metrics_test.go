package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// family is a metric as /metrics shows it.
type family struct {
	kind, help string
	labels     []string // in order of the alphabet, without those of buckets and quantiles
}

var (
	sample    = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? \S+$`)
	labelName = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)=~?"(?:[^"\\]|\\.)*"`)
)

// families reads Prometheus's text format.
func families(text string) map[string]*family {
	all := map[string]*family{}
	var name string // of the latest, whose samples follow
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			var help string
			name, help, _ = strings.Cut(rest, " ")
			all[name] = &family{help: help}
		} else if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			_, all[name].kind, _ = strings.Cut(rest, " ")
		} else if m := sample.FindStringSubmatch(line); m != nil && strings.HasPrefix(m[1], name) {
			var labels []string
			for _, l := range labelName.FindAllStringSubmatch(m[2], -1) {
				if l[1] != "le" && l[1] != "quantile" {
					labels = append(labels, l[1])
				}
			}
			slices.Sort(labels)
			all[name].labels = labels
		}
	}
	return all
}

// scrape returns /metrics.
func (p *process) scrape() map[string]*family {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.url+"/metrics", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	response, err := httpClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		p.t.Fatalf("metrics: %d, %v", response.StatusCode, err)
	}
	return families(string(text))
}

// TestMetricsAreWhatTheySay holds docs/metrics.md, the dashboard and the alert rules against a running holdfast.
func TestMetricsAreWhatTheySay(t *testing.T) {
	p, _ := everything(t)
	delta := `{"id":%q,"source":"s","sku":"tea","location":"leeds","kind":%q,"channel":"web","quantity":2,"time":"` + at + `"}`
	oversell := "[" + fmt.Sprintf(delta, "1", "count") + "," + fmt.Sprintf(delta, "2", "sale") + "," + fmt.Sprintf(delta, "3", "sale") + "]"
	if status := p.post("/v1/deltas", "application/json", []byte(oversell), nil); status != http.StatusAccepted {
		t.Fatalf("post: %d", status)
	}
	var exposed map[string]*family
	eventually(t, "the oversell and the request are counted", func() bool {
		exposed = p.scrape()
		return exposed["holdfast_commands_total"] != nil && exposed["holdfast_http_deltas_total"] != nil &&
			exposed["holdfast_watermark_lag_seconds"] != nil // told of once it is committed
	})
	t.Run("table", func(t *testing.T) { compareTable(t, exposed) })
	t.Run("dashboard", func(t *testing.T) { checkDashboard(t, exposed) })
	t.Run("alerts", func(t *testing.T) { checkAlerts(t, exposed) })
}

const deploy = "../../deploy"

// compareTable wants a row in docs/metrics.md for each metric of holdfast's own, and none besides. What is missing
// is told as it has to stand there.
func compareTable(t *testing.T, exposed map[string]*family) {
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| `holdfast_") {
			documented[strings.TrimSpace(line)] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(exposed)) {
		if !strings.HasPrefix(name, "holdfast_") {
			continue
		}
		f := exposed[name]
		labels := "–"
		if len(f.labels) > 0 {
			labels = "`" + strings.Join(f.labels, "`, `") + "`"
		}
		row := fmt.Sprintf("| `%s` | %s | %s | %s |", name, f.kind, labels, strings.TrimSuffix(f.help, "."))
		if !documented[row] {
			t.Errorf("docs/metrics.md lacks\n%s", row)
		}
		delete(documented, row)
	}
	for row := range documented {
		t.Errorf("docs/metrics.md has, and /metrics has not\n%s", row)
	}
}

// checkDashboard wants the dashboard to be JSON that shows only what there is.
func checkDashboard(t *testing.T, exposed map[string]*family) {
	text, err := os.ReadFile(filepath.Join(deploy, "grafana", "holdfast.json"))
	if err != nil {
		t.Fatal(err)
	}
	type target struct {
		Expr       string
		Datasource struct{ UID string }
	}
	var dashboard struct {
		Panels []struct {
			ID      int
			Type    string
			Title   string
			Targets []target
		}
		Annotations struct {
			List []struct {
				Expr    string
				BuiltIn int
			}
		}
		Templating struct {
			List []struct{ Name, Type, Definition string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	variables := map[string]bool{"__rate_interval": true, "__interval": true}
	for _, v := range dashboard.Templating.List {
		variables[v.Name] = true
		if v.Type == "query" {
			checkQuery(t, "variable "+v.Name, v.Definition, exposed)
		}
	}
	for _, a := range dashboard.Annotations.List {
		if a.BuiltIn == 0 {
			checkQuery(t, "annotation", a.Expr, exposed)
		}
	}
	ids := map[int]bool{}
	for _, panel := range dashboard.Panels {
		if ids[panel.ID] || panel.Title == "" || (panel.Type != "row") != (len(panel.Targets) > 0) {
			t.Errorf("panel %d %q is there twice, or without a title or targets", panel.ID, panel.Title)
		}
		ids[panel.ID] = true
		for _, target := range panel.Targets {
			checkQuery(t, panel.Title, target.Expr, exposed)
			if target.Datasource.UID != "${datasource}" {
				t.Errorf("%s: the data source is %q, not the variable", panel.Title, target.Datasource.UID)
			}
			for _, used := range regexp.MustCompile(`\$(\w+)`).FindAllStringSubmatch(target.Expr, -1) {
				if !variables[used[1]] {
					t.Errorf("%s: there is no variable %s", panel.Title, used[1])
				}
			}
		}
	}
	if len(ids) < 10 || !variables["datasource"] {
		t.Errorf("%d panels, variables %v", len(ids), variables)
	}
}

// checkAlerts wants the rules to be YAML and about what there is, and every rule to say what it means.
func checkAlerts(t *testing.T, exposed map[string]*family) {
	text, err := os.ReadFile(filepath.Join(deploy, "prometheus", "alerts.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(text, &rules); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			if seen[rule.Alert] || rule.For == "" || rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" {
				t.Errorf("%q is there twice, or lacks a duration, a severity or a summary", rule.Alert)
			}
			seen[rule.Alert] = true
			checkQuery(t, rule.Alert, rule.Expr, exposed)
		}
	}
	if len(seen) < 5 {
		t.Errorf("%d rules", len(seen))
	}

	var prometheus struct {
		RuleFiles     []string `yaml:"rule_files"`
		ScrapeConfigs []struct {
			JobName string `yaml:"job_name"`
		} `yaml:"scrape_configs"`
	}
	if text, err = os.ReadFile(filepath.Join(deploy, "prometheus", "prometheus.yml")); err == nil {
		err = yaml.Unmarshal(text, &prometheus)
	}
	if err != nil || !slices.Equal(prometheus.RuleFiles, []string{"alerts.yml"}) || len(prometheus.ScrapeConfigs) != 1 || prometheus.ScrapeConfigs[0].JobName != "holdfast" {
		t.Errorf("prometheus.yml: %+v, %v", prometheus, err)
	}
}

var (
	grouping = regexp.MustCompile(`\b(?:by|on) \(([^)]*)\)`)
	selector = regexp.MustCompile(`\b((?:holdfast|go|process|promhttp)_\w+|up)\b(?:\{([^}]*)\})?`)
	series   = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// scraped are the labels that Prometheus adds, and those of buckets.
var scraped = []string{"job", "instance", "le"}

// checkQuery wants every metric of a query, and every label that it is selected or grouped by, to be there.
func checkQuery(t *testing.T, where, query string, exposed map[string]*family) {
	t.Helper()
	found, known := 0, scraped
	for _, m := range selector.FindAllStringSubmatch(query, -1) {
		name, labels := m[1], m[2]
		if name == "up" { // Prometheus's own
			found++
			continue
		}
		f := exposed[name]
		if base := series.ReplaceAllString(name, ""); f == nil && exposed[base] != nil && exposed[base].kind == "histogram" {
			f = exposed[base]
		}
		if f == nil {
			t.Errorf("%s: there is no metric %s in %s", where, name, query)
			continue
		}
		if f.kind == "histogram" && !series.MatchString(name) {
			t.Errorf("%s: %s is a histogram, which has no value of its own: %s", where, name, query)
		}
		found++
		known = append(known[:len(known):len(known)], f.labels...)
		for _, l := range labelName.FindAllStringSubmatch(labels, -1) {
			if !slices.Contains(f.labels, l[1]) && !slices.Contains(scraped, l[1]) {
				t.Errorf("%s: %s has no label %s in %s", where, name, l[1], query)
			}
		}
	}
	if found == 0 {
		t.Errorf("%s: no metric in %s", where, query)
	}
	for _, m := range grouping.FindAllStringSubmatch(query, -1) {
		for label := range strings.SplitSeq(m[1], ", ") {
			if !slices.Contains(known, label) {
				t.Errorf("%s: none of its metrics has a label %s in %s", where, label, query)
			}
		}
	}
}

func TestPprofIsAFlagAVariableAndAKey(t *testing.T) {
	config := filepath.Join(t.TempDir(), "holdfast.yaml")
	if err := os.WriteFile(config, []byte("pprof: true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		variable string
		args     []string
		want     int
	}{
		"off":      {"", nil, http.StatusNotFound},
		"flag":     {"", []string{"--pprof"}, http.StatusOK},
		"variable": {"true", nil, http.StatusOK},
		"key":      {"", []string{"--config", config}, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			if c.variable != "" {
				t.Setenv("HOLDFAST_PPROF", c.variable)
			}
			p := start(t, append([]string{"run", "--data", t.TempDir(), "--nats-port", "0", "--http", "127.0.0.1:0", "--partitions", "1", "--sync", "lazy"}, c.args...)...)
			if got := p.get("/debug/pprof/heap", nil); got != c.want {
				t.Errorf("the heap's profile: %d, want %d", got, c.want)
			}
			p.stop()
		})
	}
}
