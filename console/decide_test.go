package console_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/access"
	"github.com/holdfast-atp/holdfast/console"
	"github.com/holdfast-atp/holdfast/inventory"
)

// TestExplanations: of a command there is its decision, of what nobody said there is none.
func TestExplanations(t *testing.T) {
	a := serve(t)
	a.backend.SetException(exceptionOf(inventory.Acting))
	a.backend.Publish(inventory.Command{ID: "0-1-0-1", Action: inventory.Hold, Channel: "web", SKU: "tea", Location: "leeds", Exception: "x0-1-0-0", Cause: inventory.Cause{Sequence: 1}})
	status, _, answer := a.call("GET", "/v1/explain/0-1-0-1", "", "")
	var e inventory.Explanation
	if err := json.Unmarshal([]byte(answer), &e); err != nil || status != 200 || e.Command == nil || e.Exception == nil || e.Tipped.Sequence != 1 {
		t.Errorf("%d %s", status, answer)
	}
	a.wantProblem(404, "no command", "GET", "/v1/explain/0-9-0-1", "", "")
	a.wantProblem(400, "no parameter", "GET", "/v1/explain/0-1-0-1?sku=tea", "", "")
}

func exceptionOf(status inventory.Status) inventory.Exception {
	return inventory.Exception{ID: "x0-1-0-0", Class: inventory.Oversell, SKU: "tea", Location: "leeds", Status: status, Owner: "ops"}
}

// TestDecisions: each decision is answered with the exception as it stands then.
func TestDecisions(t *testing.T) {
	for _, c := range []struct {
		action, body string
		from, to     inventory.Status
		owner        string
	}{
		{"approve", "", inventory.AwaitingApproval, inventory.Acting, "ops"},
		{"approve", `{"note":"go on","owner":"lee"}`, inventory.Open, inventory.Acting, "lee"},
		{"reject", "{}", inventory.AwaitingApproval, inventory.Dismissed, "ops"},
		{"reject", `{"note":"counted"}`, inventory.Acting, inventory.Dismissed, "ops"},
		{"resolve", " ", inventory.Open, inventory.Resolved, "ops"},
		{"assign", `{"owner":"lee","by":"kim"}`, inventory.Acting, inventory.Acting, "lee"},
	} {
		a := serve(t)
		a.backend.SetException(exceptionOf(c.from))
		status, _, answer := a.call("POST", "/v1/exceptions/x0-1-0-0/"+c.action, "application/json", c.body)
		var x inventory.Exception
		if err := json.Unmarshal([]byte(answer), &x); err != nil || status != 200 || x.Status != c.to || x.Owner != c.owner || len(x.History) != 1 {
			t.Errorf("%s of what is %s: %d %s, want %s of %s", c.action, c.from, status, answer, c.to, c.owner)
			continue
		}
		want := "unnamed"
		if strings.Contains(c.body, "kim") {
			want = "kim"
		}
		if x.History[0].By != want {
			t.Errorf("%s is by %q, want %q", c.action, x.History[0].By, want)
		}
	}
}

// TestDecisionsThatAreRefused: what can't be decided is said with its reason, and changes nothing.
func TestDecisionsThatAreRefused(t *testing.T) {
	a := serve(t)
	const path, form = "/v1/exceptions/x0-1-0-0/", "application/json"
	a.backend.SetException(exceptionOf(inventory.Acting))
	a.wantProblem(409, "is acting, so approve is not possible: it acts already", "POST", path+"approve", form, "")
	a.wantProblem(404, "no exception", "POST", "/v1/exceptions/x9/approve", form, "")
	a.wantProblem(400, "to whom", "POST", path+"assign", form, `{"note":"n"}`)
	a.wantProblem(400, "note", "POST", path+"reject", form, `{"why":"n"}`)
	a.wantProblem(400, "decision", "POST", path+"reject", form, `[]`)
	a.wantProblem(400, "behind", "POST", path+"reject", form, `{}{}`)
	a.wantProblem(400, "UTF-8", "POST", path+"reject", form, "{\"note\":\"\xff\"}")
	a.wantProblem(400, "line breaks", "POST", path+"reject", form, `{"note":"a\nb"}`)
	a.wantProblem(400, "bytes at most", "POST", path+"assign", form, `{"owner":"`+strings.Repeat("o", 129)+`"}`)
	a.wantProblem(415, "application/json", "POST", path+"reject", "text/plain", `{}`)
	a.wantProblem(405, "POST", "GET", path+"approve", "", "")
	a.wantProblem(400, "no parameter", "POST", path+"approve?note=n", form, "")
	a.backend.SetException(exceptionOf(inventory.Resolved))
	for _, action := range []string{"approve", "reject", "resolve"} {
		a.wantProblem(409, "resolved already", "POST", path+action, form, "")
	}
	a.backend.Fail(console.ErrUnavailable)
	a.wantProblem(503, "Ask again", "POST", path+"reject", form, "")
	if e, err := a.backend.Exception(t.Context(), "x0-1-0-0"); err == nil || e.Status != inventory.Resolved || len(e.History) > 0 {
		t.Errorf("it is %+v, %v", e, err)
	}
}

// TestADecisionIsInTheTokensName: nobody decides in another's.
func TestADecisionIsInTheTokensName(t *testing.T) {
	guardedBubble(t, console.Config{}, func(a *api, k *keys) {
		a.backend.SetException(exceptionOf(inventory.AwaitingApproval))
		const path, form = "/v1/exceptions/x0-1-0-0/approve", "application/json"
		a.wantProblem(400, "the-approver", "POST", path, form, `{"by":"lee"}`, bearer(k.tokens[access.Approver])...)
		status, _, answer := a.call("POST", path, form, `{"by":"the-approver"}`, bearer(k.tokens[access.Approver])...)
		if status != 200 || !strings.Contains(answer, `"approved_by":"the-approver"`) {
			t.Errorf("%d %s", status, answer)
		}
	})
}
