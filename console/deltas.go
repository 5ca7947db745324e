package console

import (
	"bytes"
	"context"
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

// format is how a body writes deltas.
type format int

const (
	formatNone    format = iota
	formatJSON           // an array of deltas, or one delta
	formatNDJSON         // a delta a line
	formatMsgpack        // maps or compact arrays, one after another
)

const acceptedTypes = "application/json, application/x-ndjson, application/msgpack, application/x-msgpack"

// itemBytes is about what an item takes in memory beside the body that it borrows from.
const itemBytes = 256

// formatOf reads a Content-Type.
func formatOf(contentType string) format {
	kind, params, err := mime.ParseMediaType(contentType)
	if charset, given := params["charset"]; err != nil || given && !strings.EqualFold(charset, "utf-8") {
		return formatNone
	}
	switch kind {
	case "application/json":
		return formatJSON
	case "application/x-ndjson":
		return formatNDJSON
	case "application/msgpack", "application/x-msgpack":
		return formatMsgpack
	}
	return formatNone
}

type deltasAnswer struct {
	Accepted   int        `json:"accepted"`
	Duplicates int        `json:"duplicates"` // known before, or a second time in this request
	Rejected   []rejected `json:"rejected"`
}

type rejected struct {
	Index int    `json:"index"` // of the item in the request, from 0
	Error string `json:"error"`
}

// postDeltas takes deltas in. What can't be used is rejected item by item; the
// answer is 202 only when JetStream has acknowledged all the others.
func (s *Server) postDeltas(w http.ResponseWriter, r *http.Request, _ query) error {
	form := formatOf(r.Header.Get("Content-Type"))
	if form == formatNone {
		return unsupportedType(r.Header.Get("Content-Type"))
	}
	sent, err := s.readBody(w, r)
	if err != nil {
		return err
	}
	defer sent.release()

	batch := codec.Batch{ItemsMax: s.limits.itemsMax}
	if err := decode(&batch, form, sent.bytes); err != nil {
		return err
	}
	if batch.Full {
		return tooLarge("A request has %d items at most. Send the deltas in several.", batch.ItemsMax)
	}
	if err := sent.hold(int64(cap(batch.Deltas)) * itemBytes); err != nil {
		return err
	}
	answer := deltasAnswer{Rejected: make([]rejected, len(batch.Bad))}
	for i, bad := range batch.Bad {
		answer.Rejected[i] = rejected{bad.Index, bad.Err.Error()}
	}
	fresh := firsts(&batch)
	answer.Duplicates = len(batch.Deltas) - len(batch.Bad) - len(fresh)
	if len(fresh) > 0 {
		known, err := s.ingest(r.Context(), fresh)
		if err != nil {
			return err
		}
		answer.Duplicates += known
		answer.Accepted = len(fresh) - known
	}
	s.metrics.deltas.WithLabelValues("accepted").Add(float64(answer.Accepted))
	s.metrics.deltas.WithLabelValues("duplicate").Add(float64(answer.Duplicates))
	s.metrics.deltas.WithLabelValues("rejected").Add(float64(len(answer.Rejected)))
	return writeJSON(w, http.StatusAccepted, answer)
}

// ingest hands deltas to the backend. Whatever keeps them from being stored is a
// matter of now for the caller: its ids make sending them again safe.
func (s *Server) ingest(ctx context.Context, deltas []inventory.Delta) (known int, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.limits.ingestTimeout)
	defer cancel()
	known, err = s.backend.Ingest(ctx, deltas)
	if err == nil {
		return known, nil
	}
	if !errors.Is(err, context.Canceled) {
		s.logger.WarnContext(ctx, "deltas not stored", "deltas", len(deltas), "error", err)
	}
	return 0, unavailable("The deltas could not be stored, or not all of them. Send the request again, "+
		"as it is, in %s s: what was stored is known by its source and id and counts once.", retryAfter)
}

// decode fills batch from a body. Its error is for a body that is no list of items at all;
// an item that is no delta is in batch.Bad.
func decode(batch *codec.Batch, form format, body []byte) error {
	text := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case form != formatJSON && len(text) == 0: // no item is a list too
	case form == formatMsgpack:
		batch.Decode(body)
	case form == formatNDJSON:
		batch.Decode(text)
	case len(text) > 0 && text[0] == '[':
		if err := batch.DecodeJSONArray(text); err != nil {
			return badRequest("The body is not a JSON array: %v.", err)
		}
	case len(text) > 0 && text[0] == '{':
		batch.Decode(text)
	default:
		return badRequest("The body is neither a JSON array of deltas nor one delta; for one delta a line, Content-Type is application/x-ndjson.")
	}
	return nil
}

// firsts returns the good deltas of batch in their order, of each source and id the
// first alone. It takes the batch's own array for them.
func firsts(batch *codec.Batch) []inventory.Delta {
	type name struct{ source, id string }
	seen := make(map[name]struct{}, len(batch.Deltas))
	kept, bad := batch.Deltas[:0], batch.Bad
	for i := range batch.Deltas {
		if len(bad) > 0 && bad[0].Index == i {
			bad = bad[1:]
			continue
		}
		key := name{batch.Deltas[i].Source, batch.Deltas[i].ID}
		if _, repeat := seen[key]; !repeat {
			seen[key] = struct{}{}
			kept = append(kept, batch.Deltas[i])
		}
	}
	return kept
}

func unsupportedType(contentType string) *problem {
	p := &problem{status: http.StatusUnsupportedMediaType, kind: "unsupported-media-type",
		title: "The body is in a form that is not read here", accept: acceptedTypes, acceptName: "Accept-Post"}
	if contentType == "" {
		p.detail = "There is no Content-Type; accepted are: " + acceptedTypes + "."
	} else {
		p.detail = "Content-Type " + contentType + " is not read; accepted are: " + acceptedTypes + ", in UTF-8."
	}
	return p
}
