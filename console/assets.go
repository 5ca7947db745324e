package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"time"
)

//go:embed web openapi.yaml
var embedded embed.FS

// asset is an embedded file, ready to be served.
type asset struct {
	content     []byte
	contentType string
	etag        string // of the content, quoted
}

type assets map[string]asset // by path in embedded

func loadAssets() (assets, error) {
	files := assets{}
	err := fs.WalkDir(embedded, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		files[name] = asset{content, contentTypeOf(name), `"` + hex.EncodeToString(sum[:12]) + `"`}
		return nil
	})
	return files, err
}

// contentTypeOf does not ask the machine's tables, which differ: with nosniff
// a module of another type does not run.
func contentTypeOf(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".yaml":
		return "application/yaml"
	}
	return mime.TypeByExtension(path.Ext(name))
}

// asset returns a handler for one embedded file.
func (s *Server) asset(name string) handler {
	return func(w http.ResponseWriter, r *http.Request, _ query) error {
		file, ok := s.assets[name]
		if !ok {
			return notFound("The console has no file of that name.")
		}
		h := w.Header()
		h.Set("Content-Type", file.contentType)
		h.Set("Cache-Control", "no-cache") // ask each time: a new binary has new files
		h.Set("ETag", file.etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file.content))
		return nil
	}
}

func (s *Server) getAsset(w http.ResponseWriter, r *http.Request, q query) error {
	return s.asset("web/"+r.PathValue("name"))(w, r, q)
}
