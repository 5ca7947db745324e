package console_test

import (
	"strings"
	"testing"
)

func TestMasterDataAreSetAndTold(t *testing.T) {
	a := serve(t)
	const json = "application/json"
	status, _, body := a.call("POST", "/v1/master", json, `{"skus":[{"sku":"a/b","category":"drinks","price":499,"regulated":true}],"locations":[{"location":"leeds","region":"north"}],"by":"kim"}`)
	if status != 200 || strings.TrimSpace(body) != `{"skus":1,"locations":1}` {
		t.Errorf("set: %d %s", status, body)
	}
	if status, _, body := a.call("GET", "/v1/master/a%2Fb", "", ""); status != 200 || strings.TrimSpace(body) != `{"sku":"a/b","category":"drinks","price":499,"regulated":true}` {
		t.Errorf("told: %d %s", status, body)
	}
	a.wantProblem(404, "say nothing", "GET", "/v1/master/cup", "", "")
	for body, says := range map[string]string{
		"":                                      "is not master data such as",
		"{}":                                    "missing_field: skus",
		`{"skus":[{"sku":"a","colour":"red"}]}`: "colour",
		`{"skus":[{"price":3}]}`:                "skus[0].sku",
		`{"skus":[{"sku":"a"}]} {}`:             "something behind",
		`{"skus":[{"sku":"a"}]` + "\xff}":       "UTF-8",
	} {
		a.wantProblem(400, says, "POST", "/v1/master", json, body)
	}
	a.wantProblem(415, "JSON", "POST", "/v1/master", "text/csv", "sku")
}
