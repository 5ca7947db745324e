package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// apiAnswerBytesMax bounds what is read of an answer.
const apiAnswerBytesMax = 64 << 20

// api calls the API of a running holdfast.
type api struct {
	base   string // its URL, without a slash at the end
	token  string // "": none
	client *http.Client
}

// getJSON asks for path. A problem in its answer is the error.
func (a *api) getJSON(ctx context.Context, path string, answer any) error {
	return a.call(ctx, http.MethodGet, path, nil, answer)
}

// postJSON sends body to path. A problem in its answer is the error.
func (a *api) postJSON(ctx context.Context, path string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return a.call(ctx, http.MethodPost, path, text, answer)
}

func (a *api) call(ctx context.Context, method, path string, text []byte, answer any) error {
	request, err := http.NewRequestWithContext(ctx, method, a.base+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	if text != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if a.token != "" {
		request.Header.Set("Authorization", "Bearer "+a.token)
	}
	response, err := a.client.Do(request)
	if err != nil {
		return fmt.Errorf("%w: start holdfast run, or name its address with --http", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, apiAnswerBytesMax))
	if err != nil {
		return fmt.Errorf("%s: %w", request.URL, err)
	}
	if response.StatusCode != http.StatusOK {
		var problem struct{ Title, Detail string }
		switch {
		case json.Unmarshal(body, &problem) != nil || problem.Title == "":
			return fmt.Errorf("%s: %s", request.URL, response.Status)
		case response.StatusCode == http.StatusUnauthorized:
			return fmt.Errorf("%s: name a file with a token by --token-file, or put the token into %s", problem.Detail, tokenVariable)
		}
		return errors.New(problem.Title + ": " + problem.Detail)
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("%s: %w", request.URL, err)
	}
	return nil
}
