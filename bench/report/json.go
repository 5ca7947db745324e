package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// SizeMax is the most bytes that [Read] takes: a soak of an hour has some 10 MB.
const SizeMax = 256 << 20

// Write writes a report as JSON. An error names what [Report.Check] refuses, or is the writer's.
func Write(w io.Writer, r Report) error {
	if err := r.Check(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	if err := out.Encode(r); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// Read reads what [Write] wrote, by this version or one that has the same [Format]. Numbers in a
// scenario's Config come back as float64. The error says where the JSON breaks off, that
// it is no report, that its format is another one, or what [Report.Check] refuses.
func Read(r io.Reader) (Report, error) {
	report, err := read(r, SizeMax)
	if err != nil {
		return Report{}, fmt.Errorf("read report: %w", err)
	}
	return report, nil
}

func read(r io.Reader, sizeMax int64) (report Report, err error) {
	text, err := io.ReadAll(io.LimitReader(r, sizeMax+1))
	if err != nil {
		return report, err
	}
	if int64(len(text)) > sizeMax {
		return report, fmt.Errorf("more than %d bytes", sizeMax)
	}
	// The number comes first: in another format the fields may be others too.
	var head struct {
		Format *int `json:"format"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return report, err
	}
	if head.Format == nil {
		return report, errors.New("no format number: this is no report of holdfast bench")
	}
	if *head.Format != Format {
		return report, fmt.Errorf("format %d; this program knows %d", *head.Format, Format)
	}
	if err := json.Unmarshal(text, &report); err != nil {
		return report, err
	}
	return report, report.Check()
}
