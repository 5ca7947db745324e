package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"unicode/utf8"

	"github.com/holdfast-atp/holdfast/inventory"
)

// masterBody is master data as they are sent.
type masterBody struct {
	inventory.Master
	By string `json:"by"` // only where nobody is asked for a token
}

// masterAnswer says how much was taken in.
type masterAnswer struct {
	SKUs      int `json:"skus"`
	Locations int `json:"locations"`
}

// postMaster puts master data through the log, and answers once they are applied everywhere.
func (s *Server) postMaster(w http.ResponseWriter, r *http.Request, _ query) error {
	sent, err := s.readBody(w, r)
	if err != nil {
		return err
	}
	defer sent.release()
	if formatOf(r.Header.Get("Content-Type")) != formatJSON {
		p := unsupportedType(r.Header.Get("Content-Type"))
		p.accept, p.detail = "application/json", "Master data are JSON: Content-Type is application/json."
		return p
	}
	said, err := readMaster(sent)
	if err != nil {
		return err
	}
	by, err := s.decider(r, said.By)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.limits.ingestTimeout)
	defer cancel()
	if err := s.backend.SetMaster(ctx, by, &said.Master); err != nil {
		return err
	}
	s.logger.InfoContext(ctx, "master data set", "skus", len(said.SKUs), "locations", len(said.Locations), "by", by)
	return writeJSON(w, http.StatusOK, masterAnswer{len(said.SKUs), len(said.Locations)})
}

func readMaster(sent *body) (said masterBody, err error) {
	if !utf8.Valid(sent.bytes) {
		return said, badRequest("The body is not UTF-8.")
	}
	// Entries and their strings take at most a few times the bytes that they are read from.
	if err := sent.hold(4 * int64(len(sent.bytes))); err != nil {
		return said, err
	}
	const shape = `{"skus":[{"sku":"…","category":"…","price":499}],"locations":[{"location":"…","region":"…"}]}`
	decoder := json.NewDecoder(bytes.NewReader(sent.bytes))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&said); err != nil {
		return said, badRequest("The body is not master data such as %s: %v.", shape, err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return said, badRequest("The body has something behind the master data; one object such as %s belongs there.", shape)
	}
	if err := said.Validate(); err != nil {
		return said, badRequest("These master data can't be taken: %v.", err)
	}
	return said, nil
}

// getItem answers what master data say of a SKU.
func (s *Server) getItem(w http.ResponseWriter, r *http.Request, _ query) error {
	sku, err := pathName(r, "sku")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.limits.backendTimeout)
	defer cancel()
	item, err := s.backend.Item(ctx, sku)
	if errors.Is(err, ErrNotFound) {
		return notFound("Master data say nothing of SKU %q.", sku)
	}
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, inventory.ItemOf{SKU: sku, Item: item})
}
