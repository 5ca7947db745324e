package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// apiAnswerBytesMax bounds what is read of an answer.
const apiAnswerBytesMax = 64 << 20

// getJSON asks the API of a running holdfast. A problem in its answer is the error.
func getJSON(ctx context.Context, url string, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("%w: start holdfast run, or name its address with --http", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, apiAnswerBytesMax))
	if err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	if response.StatusCode != http.StatusOK {
		var problem struct{ Title, Detail string }
		if json.Unmarshal(body, &problem) != nil || problem.Title == "" {
			return fmt.Errorf("%s: %s", url, response.Status)
		}
		return errors.New(problem.Title + ": " + problem.Detail)
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	return nil
}
