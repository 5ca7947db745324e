package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// pair is a certificate for 127.0.0.1 that signs itself, in files.
type pair struct{ cert, key string }

// renew writes the pair with a serial number.
func (p pair) renew(t *testing.T, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		os.WriteFile(p.cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(p.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
}

func newPair(t *testing.T) pair {
	t.Helper()
	dir := t.TempDir()
	p := pair{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	p.renew(t, 1)
	return p
}

// newToken calls token new.
func newToken(t *testing.T, name, role string) (token, line string) {
	t.Helper()
	var out bytes.Buffer
	if code := run([]string{"token", "new", "--name", name, "--role", role, "--json"}, nil, &out, &out); code != exitDone {
		t.Fatalf("%d %s", code, &out)
	}
	var made struct{ Token, Line string }
	if err := json.Unmarshal(out.Bytes(), &made); err != nil {
		t.Fatal(err)
	}
	return made.Token, made.Line
}

// TestTokensOverTLS: what token new prints opens the API, for as long as it stands in the file.
func TestTokensOverTLS(t *testing.T) {
	certificate := newPair(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	reader, readerLine := newToken(t, "shop", "reader")
	operator, operatorLine := newToken(t, "erp", "operator")
	tokens := write("tokens.yaml", readerLine+"\n"+operatorLine)
	t.Setenv("HOLDFAST_TOKENS", tokens)
	p := start(t, "run", "--data", t.TempDir(), "--nats-port", "0", "--http", "127.0.0.1:0", "--partitions", "2", "--sync", "lazy",
		"--tls-cert", certificate.cert, "--tls-key", certificate.key)
	if !strings.HasPrefix(p.url, "https://") {
		t.Fatalf("it serves %s", p.url)
	}
	var serial string
	seeing := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, // whose certificate it is, is what this looks at
		VerifyConnection: func(state tls.ConnectionState) error {
			serial = state.PeerCertificates[0].SerialNumber.String()
			return nil
		},
	}}}
	defer seeing.CloseIdleConnections()
	post := func(token string) int {
		body := `{"id":"1","source":"s","sku":"tea","location":"leeds","kind":"count","quantity":2,"time":"` + at + `"}`
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/v1/deltas", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := seeing.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
	for token, want := range map[string]int{operator: http.StatusAccepted, reader: http.StatusForbidden, "hf_guess": http.StatusUnauthorized} {
		if status := post(token); status != want {
			t.Errorf("a delta: %d, want %d", status, want)
		}
	}
	call := func(args ...string) (string, int) {
		var out bytes.Buffer
		code := run(append([]string{"exceptions", "--http", p.url, "--http-ca", certificate.cert}, args...), nil, &out, &out)
		return out.String(), code
	}
	if out, code := call(); code != exitFailed || !strings.Contains(out, "--token-file") {
		t.Errorf("without a token: %d %s", code, out)
	}
	if out, code := call("--token-file", write("reader", reader)); code != exitDone || !strings.Contains(out, "nothing stands") {
		t.Errorf("with a reader's: %d %s", code, out)
	}
	if out, code := call("--token-file", write("none", "")); code != exitFailed || !strings.Contains(out, "one token belongs there") {
		t.Errorf("with an empty file: %d %s", code, out)
	}
	t.Setenv(tokenVariable, reader)
	if out, code := call(); code != exitDone {
		t.Errorf("with the variable: %d %s", code, out)
	}

	write("tokens.yaml", operatorLine)
	eventually(t, "the reader's token is taken back", func() bool { _, code := call(); return code == exitFailed })
	certificate.renew(t, 2)
	eventually(t, "the renewed certificate is served", func() bool {
		return post(operator) == http.StatusAccepted && serial == "2"
	})
	p.stop()
	said := p.stderr.String() + strings.Join(p.lines, "\n")
	for _, secret := range []string{reader, operator, "hf_guess"} {
		if strings.Contains(said, secret) {
			t.Errorf("a token was told:\n%s", said)
		}
	}
}

// TestNATSWithCredentials: holdfast comes to a server that asks for a certificate and a password, and
// tells the password to nobody.
func TestNATSWithCredentials(t *testing.T) {
	certificate := newPair(t)
	const password = "sesame-7c1f"
	config := filepath.Join(t.TempDir(), "nats.conf")
	text := fmt.Sprintf("listen: \"127.0.0.1:-1\"\njetstream {store_dir: %q}\ntls {cert_file: %q, key_file: %q, ca_file: %q, verify: true}\n"+
		"authorization {users: [{user: holdfast, password: %q, permissions: {publish: \">\", subscribe: [\"holdfast.>\", \"_MINE.>\"]}}]}\n",
		t.TempDir(), certificate.cert, certificate.key, certificate.cert, password)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	options, err := server.ProcessConfigFile(config)
	if err != nil {
		t.Fatal(err)
	}
	options.NoSigs, options.NoLog = true, true
	broker, err := server.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	broker.Start()
	defer func() { broker.Shutdown(); broker.WaitForShutdown() }()
	if !broker.ReadyForConnections(time.Minute) {
		t.Fatal("the server is not ready")
	}
	host := broker.Addr().String()
	t.Setenv("HOLDFAST_NATS_CA", certificate.cert)
	t.Setenv("HOLDFAST_NATS_CERT", certificate.cert)
	t.Setenv("HOLDFAST_NATS_KEY", certificate.key)
	t.Setenv("HOLDFAST_NATS_INBOX", "_MINE")
	t.Setenv("HOLDFAST_NATS", "tls://holdfast:"+password+"@"+host)
	p := start(t, "run", "--data", t.TempDir(), "--http", "127.0.0.1:0", "--partitions", "2")
	var out bytes.Buffer
	delta := strings.NewReader(`{"id":"1","source":"s","sku":"tea","location":"leeds","kind":"sale","channel":"web","quantity":2,"time":"` + at + `"}`)
	if code := run([]string{"publish"}, delta, &out, &out); code != exitDone {
		t.Errorf("publish: %d %s", code, &out)
	}
	var answer json.RawMessage
	eventually(t, "the delta is applied", func() bool { return p.get("/v1/atp/tea/leeds", &answer) == http.StatusOK })
	out.Write(answer)
	for _, path := range []string{"/metrics", "/v1/overview", "/readyz"} {
		response, err := httpClient.Get(p.url + path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = out.ReadFrom(response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("HOLDFAST_NATS", "tls://holdfast:not-"+password+"@"+host)
	if code := run([]string{"publish"}, strings.NewReader("{}"), &out, &out); code != exitFailed || !strings.Contains(out.String(), "xxxxx@"+host) {
		t.Errorf("with a wrong password: %d %s", code, &out)
	}
	p.stop()
	if said := out.String() + p.stderr.String() + strings.Join(p.lines, "\n"); strings.Contains(said, password) || !strings.Contains(said, "xxxxx@"+host) {
		t.Errorf("the password is told, or the server is not:\n%s", said)
	}
}

func TestRedact(t *testing.T) {
	for raw, want := range map[string]string{
		"nats://127.0.0.1:4222":             "nats://127.0.0.1:4222",
		"nats://u:secret@h:1":               "nats://xxxxx@h:1",
		"nats://secret@h":                   "nats://xxxxx@h",
		"u:secret@h:1":                      "nats://xxxxx@h:1",
		"nats://a:secret@h,tls://secret@k":  "nats://xxxxx@h,tls://xxxxx@k",
		"nats://u:secret@h:1/secret?secret": "nats://xxxxx@h:1",
		"nats://u:se/secret@h":              "the given URL",
		"nats://u:%secret@h":                "the given URL",
		"nats://u:secret":                   "the given URL",
		"secret:secret":                     "the given URL",
		"":                                  "the given URL",
		"nats://u:secret@":                  "the given URL",
		"nats://u:a,secret@h:secret":        "the given URL",
	} {
		if got := redact(raw); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

// TestRefusalsComeBeforeAnythingStarts: what would be unsafe or can't be meant is said in a line, and leaves nothing behind.
func TestRefusalsComeBeforeAnythingStarts(t *testing.T) {
	certificate := newPair(t)
	spoilt := filepath.Join(t.TempDir(), "tokens.yaml")
	if err := os.WriteFile(spoilt, []byte("hf_secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"run", "--http", "0.0.0.0:0"}, exitFailed, "--tokens"},
		{[]string{"run", "--http", ":0"}, exitFailed, "--http-open"},
		{[]string{"demo", "--http", "[::]:0"}, exitFailed, "--tokens"},
		{[]string{"run", "--tokens", "no-such-file"}, exitUsage, "no-such-file"},
		{[]string{"run", "--tokens", spoilt}, exitFailed, "not a list of tokens"},
		{[]string{"run", "--tls-cert", certificate.cert}, exitUsage, "--tls-key"},
		{[]string{"run", "--tls-cert", certificate.cert, "--tls-key", certificate.cert}, exitFailed, certificate.cert},
		{[]string{"run", "--nats-ca", certificate.cert}, exitUsage, "--nats"},
		{[]string{"run", "--nats", "tls://h", "--nats-cert", certificate.cert}, exitUsage, "--nats-key"},
		{[]string{"run", "--nats", "nats://u:secret"}, exitUsage, "nats://host:port"},
		{[]string{"watch", "--nats", "nats://u:%secret@h"}, exitUsage, "nats://host:port"},
		{[]string{"watch", "--nats", "nats://127.0.0.1:1", "--nats-ca", spoilt}, exitFailed, spoilt},
		{[]string{"watch", "--nats", "nats://127.0.0.1:1", "--nats-creds", spoilt}, exitFailed, "nats://127.0.0.1:1"},
		{[]string{"atp", "tea", "--http", "https://127.0.0.1:1", "--http-ca", spoilt}, exitUsage, "PEM"},
		{[]string{"token", "new", "--name", "a", "--role", "root"}, exitUsage, "reader, operator, approver, admin"},
		{[]string{"token", "new", "--name", "a b", "--role", "reader"}, exitUsage, "belong here"},
		{[]string{"token", "new", "--role", "reader"}, exitUsage, "--name"},
	} {
		t.Chdir(t.TempDir())
		var out bytes.Buffer
		code := run(c.args, strings.NewReader("{}"), &out, &out)
		if code != c.code || !strings.Contains(out.String(), c.says) || strings.Count(strings.TrimSpace(out.String()), "\n") > 0 {
			t.Errorf("holdfast %q: %d %s, want %d and a line that says %q", c.args, code, &out, c.code, c.says)
		}
		if strings.Contains(out.String(), "secret") {
			t.Errorf("holdfast %q tells a secret: %s", c.args, &out)
		}
		if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
			t.Errorf("holdfast %q leaves %v, %v", c.args, left, err)
		}
	}
}
