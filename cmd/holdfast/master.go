package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

type masterCmd struct {
	callFlags
	File string `arg:"" help:"JSON, {\"skus\":[{\"sku\":…}],\"locations\":[{\"location\":…}]}; - is standard input."`
	By   string `help:"In whose name, where holdfast asks nobody for a token; yours on this machine if not given."`
}

// masterBytesMax is what one call of the API takes.
const masterBytesMax = 8 << 20

func (c *masterCmd) Run(t *terminal) error {
	text, err := c.read(t)
	if err != nil {
		return fmt.Errorf("master data: %w", err)
	}
	body := struct {
		inventory.Master
		By string `json:"by,omitempty"`
	}{}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&body.Master); err != nil {
		return fmt.Errorf("%s holds no master data such as {\"skus\":[{\"sku\":\"tea\",\"category\":\"drinks\"}]}: %w", c.File, err)
	}
	if err := body.Validate(); err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	api, err := c.api()
	if err != nil {
		return err
	}
	if body.By = c.By; body.By == "" && api.token == "" {
		if u, err := user.Current(); err == nil {
			body.By = u.Username
		}
	}
	var answer struct {
		SKUs      int `json:"skus"`
		Locations int `json:"locations"`
	}
	if err := api.postJSON(t.ctx, "/v1/master", body, &answer); err != nil {
		return err
	}
	return t.print(answer, "%d SKUs and %d locations are known", answer.SKUs, answer.Locations)
}

func (c *masterCmd) read(t *terminal) (string, error) {
	source := t.in
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return "", err
		}
		defer file.Close()
		source = file
	}
	text, err := io.ReadAll(io.LimitReader(source, masterBytesMax+1))
	if err == nil && len(text) > masterBytesMax {
		err = errors.New("more than 8 MiB; send it in several files")
	}
	return string(text), err
}
