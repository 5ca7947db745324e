package stream

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/codec"
)

// Bounds of a deployment and its messages.
const (
	PartitionsMax   = 4096
	PayloadBytesMax = 512 << 10 // of one message of deltas, as the contract says
	headerBytesMax  = 4 << 10   // what its headers may take beside it
)

// duplicateWindow is how long a stream remembers a Nats-Msg-Id: for as long as a
// producer may retry a message. Nothing in holdfast relies on it, as duplicates are
// the engine's affair, and a window costs about 145 bytes of memory an id.
const duplicateWindow = 2 * time.Minute

// Topology is the set of streams, subjects and buckets of one deployment. Every name
// is made here.
type Topology struct {
	Prefix     string // of all subjects, streams and buckets; lower-case letters, digits, _ and -
	Partitions int    // 1 to PartitionsMax, fixed when the deployment is created
	Replicas   int    // of every stream; 1, 3 or 5

	// Retention: 0 means without end. A stream of deltas that is full refuses more,
	// so that producers hear of it; the streams of outputs let go of their oldest.
	DeltaMaxAge    time.Duration
	DeltaMaxBytes  int64 // of each partition
	OutputMaxAge   time.Duration
	OutputMaxBytes int64 // of each of the four
}

var prefixPattern = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

// Validate says what is wrong with t.
func (t Topology) Validate() error {
	switch {
	case !prefixPattern.MatchString(t.Prefix):
		return fmt.Errorf("prefix %q: it must be 1 to 32 lower-case letters, digits, - and _, and start with a letter", t.Prefix)
	case t.Partitions < 1 || t.Partitions > PartitionsMax:
		return fmt.Errorf("%d partitions: there must be 1 to %d", t.Partitions, PartitionsMax)
	case t.Replicas != 1 && t.Replicas != 3 && t.Replicas != 5:
		return fmt.Errorf("%d replicas: there must be 1, 3 or 5", t.Replicas)
	case t.DeltaMaxAge < 0 || t.DeltaMaxBytes < 0 || t.OutputMaxAge < 0 || t.OutputMaxBytes < 0:
		return errors.New("a retention is negative: 0 means without end")
	}
	return nil
}

// Kind is one of the four kinds of output, each with a stream of its own.
type Kind uint8

// The kinds of output. They are stored: never renumber them.
const (
	Command Kind = iota
	Exception
	Audit
	Rejected
	kinds = iota
)

var kindNames = [kinds]string{"command", "exception", "audit", "rejected"}

func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

func (t Topology) stream(name string) string { return strings.ToUpper(t.Prefix) + "_" + name }

func (t Topology) subject(kind Kind, p int) string {
	return t.Prefix + "." + kind.String() + "." + strconv.Itoa(p)
}

// DeltaSubject is where the deltas of partition p are published.
func (t Topology) DeltaSubject(p int) string { return t.Prefix + ".delta." + strconv.Itoa(p) }

// ControlSubject is where people's decisions for partition p are published. They are in the log of its deltas.
func (t Topology) ControlSubject(p int) string { return t.Prefix + ".control." + strconv.Itoa(p) }

// DeltaStream is the log of partition p.
func (t Topology) DeltaStream(p int) string { return t.stream(fmt.Sprintf("DELTA_%04d", p)) }

// InSubjects matches what is published without knowing the partition.
func (t Topology) InSubjects() string { return t.Prefix + ".in.>" }

// CommandSubject is where a command of partition p for channel is published.
func (t Topology) CommandSubject(p int, channel, action string) string {
	return t.subject(Command, p) + "." + codec.Token(channel) + "." + action
}

// ExceptionSubject is where exceptions of partition p and class are published.
func (t Topology) ExceptionSubject(p int, class string) string {
	return t.subject(Exception, p) + "." + class
}

// AuditSubject is where decisions of partition p are published.
func (t Topology) AuditSubject(p int) string { return t.subject(Audit, p) }

// RejectedSubject is where deltas that can't be used are published.
func (t Topology) RejectedSubject(reason string) string { return t.Prefix + ".rejected." + reason }

// OutputStream is the stream of one kind of output.
func (t Topology) OutputStream(kind Kind) string {
	return t.stream([kinds]string{"COMMANDS", "EXCEPTIONS", "AUDIT", "REJECTED"}[kind])
}

// partitionFilter matches all that partition p has in the stream of kind; "" where
// the subjects of that stream name no partition.
func (t Topology) partitionFilter(kind Kind, p int) string {
	switch kind {
	case Audit:
		return t.AuditSubject(p)
	case Rejected:
		return ""
	default:
		return t.subject(kind, p) + ".>"
	}
}

// outputFilter matches all that the stream of kind takes.
func (t Topology) outputFilter(kind Kind) string { return t.Prefix + "." + kind.String() + ".>" }

// DirectivesBucket holds the last command per channel, SKU and location.
func (t Topology) DirectivesBucket() string { return t.Prefix + "-directives" }

// Metadata of every stream, so that a deployment is never opened with other numbers.
const (
	metadataPartitions = "holdfast-partitions"
	metadataFormat     = "holdfast-format"
	topologyFormat     = "1"
)

// configs lists every stream as it has to be. What is not listed for a kind of
// stream is the server's default.
func (t Topology) configs() []jetstream.StreamConfig {
	base := jetstream.StreamConfig{
		Retention:         jetstream.LimitsPolicy,
		Storage:           jetstream.FileStorage,
		Replicas:          t.Replicas,
		Duplicates:        duplicateWindow,
		MaxMsgs:           -1,
		MaxMsgsPerSubject: -1,
		MaxConsumers:      -1,
		MaxMsgSize:        -1,
		// Verifiers and people may read single messages from any replica. Positions
		// are never read that way, as a replica may lag behind.
		AllowDirect: true,
		// A group of messages is synced once, and stored wholly or not at all.
		AllowAtomicPublish: true,
		Metadata: map[string]string{
			metadataPartitions: strconv.Itoa(t.Partitions),
			metadataFormat:     topologyFormat,
		},
	}
	var all []jetstream.StreamConfig
	for p := range t.Partitions {
		c := base
		c.Name, c.Subjects = t.DeltaStream(p), []string{t.DeltaSubject(p), t.ControlSubject(p)}
		c.Description = fmt.Sprintf("Deltas of partition %d of %d, and what people decide", p, t.Partitions)
		c.MaxMsgSize = PayloadBytesMax + headerBytesMax
		c.Discard = jetstream.DiscardNew
		c.MaxAge, c.MaxBytes = t.DeltaMaxAge, orUnlimited(t.DeltaMaxBytes)
		all = append(all, c)
	}
	for kind := range Kind(kinds) {
		c := base
		c.Name, c.Subjects = t.OutputStream(kind), []string{t.outputFilter(kind)}
		c.Description = "Outputs of all partitions: " + kind.String()
		c.Discard = jetstream.DiscardOld
		c.MaxAge, c.MaxBytes = t.OutputMaxAge, orUnlimited(t.OutputMaxBytes)
		all = append(all, c)
	}
	return all
}

func orUnlimited(bytes int64) int64 {
	if bytes == 0 {
		return -1
	}
	return bytes
}

// Ensure creates the streams and buckets that are missing. One that exists with other
// settings is an error that says which setting, and both values: what holds data is
// never changed in passing, but for the subject of decisions, which a log of an earlier holdfast lacks.
func (t Topology) Ensure(ctx context.Context, js jetstream.JetStream) error {
	if err := t.Validate(); err != nil {
		return err
	}
	if err := t.refuseForeignPartitions(ctx, js); err != nil {
		return err
	}
	for _, want := range t.configs() {
		if err := ensureStream(ctx, js, want); err != nil {
			return err
		}
	}
	return t.ensureDirectives(ctx, js)
}

// refuseForeignPartitions fails where there are streams of more partitions than t's: a
// SKU would be looked for in another partition than it is kept in.
func (t Topology) refuseForeignPartitions(ctx context.Context, js jetstream.JetStream) error {
	names := js.StreamNames(ctx, jetstream.WithStreamListSubject(t.Prefix+".delta.>"))
	ours := make(map[string]bool, t.Partitions)
	for p := range t.Partitions {
		ours[t.DeltaStream(p)] = true
	}
	for name := range names.Name() {
		if !ours[name] {
			return fmt.Errorf("stream %s takes deltas of %q, and it is none of the %d partitions: the number is fixed when a deployment is created; start with the number it was created with, or use another prefix", name, t.Prefix, t.Partitions)
		}
	}
	if err := names.Err(); err != nil {
		return fmt.Errorf("list the streams of %q: %w", t.Prefix, err)
	}
	return nil
}

func ensureStream(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig) error {
	s, err := js.CreateStream(ctx, want)
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		s, err = js.Stream(ctx, want.Name)
	}
	if err != nil {
		return fmt.Errorf("create stream %s: %w", want.Name, err)
	}
	got := s.CachedInfo().Config
	if len(got.Subjects) == 1 && len(want.Subjects) == 2 && got.Subjects[0] == want.Subjects[0] {
		if got, err = addSubject(ctx, js, got, want.Subjects[1]); err != nil {
			return err
		}
	}
	return compareStream(want, got)
}

// addSubject lets a stream take another subject, and leaves the rest of it as it is.
func addSubject(ctx context.Context, js jetstream.JetStream, config jetstream.StreamConfig, subject string) (jetstream.StreamConfig, error) {
	config.Subjects = append(config.Subjects, subject)
	ctx, cancel := withTimeout(ctx, js.Options().DefaultTimeout)
	defer cancel()
	s, err := js.UpdateStream(ctx, config)
	if err != nil {
		return config, fmt.Errorf("stream %s is to take %s too: %w: where holdfast may not change streams somebody has to who may: nats stream edit %s --subjects %s",
			config.Name, subject, err, config.Name, strings.Join(config.Subjects, ","))
	}
	return s.CachedInfo().Config, nil
}

func compareStream(want, got jetstream.StreamConfig) error {
	for _, setting := range []struct {
		name      string
		want, got any
	}{
		{"number of partitions", want.Metadata[metadataPartitions], got.Metadata[metadataPartitions]},
		{"format", want.Metadata[metadataFormat], got.Metadata[metadataFormat]},
		{"subjects", strings.Join(want.Subjects, " "), strings.Join(got.Subjects, " ")},
		{"retention", want.Retention, got.Retention},
		{"storage", want.Storage, got.Storage},
		{"replicas", want.Replicas, got.Replicas},
		{"maximum age", want.MaxAge, got.MaxAge},
		{"maximum bytes", want.MaxBytes, got.MaxBytes},
		{"maximum messages", want.MaxMsgs, got.MaxMsgs},
		{"maximum messages per subject", want.MaxMsgsPerSubject, got.MaxMsgsPerSubject},
		{"maximum message size", want.MaxMsgSize, got.MaxMsgSize},
		{"discard policy", want.Discard, got.Discard},
		{"atomic batches", want.AllowAtomicPublish, got.AllowAtomicPublish},
		{"no acknowledgements", want.NoAck, got.NoAck},
		{"sealed", want.Sealed, got.Sealed},
		{"mirror", want.Mirror != nil, got.Mirror != nil},
		{"sources", len(want.Sources), len(got.Sources)},
		{"subject transform", want.SubjectTransform != nil, got.SubjectTransform != nil},
	} {
		if setting.want != setting.got {
			return fmt.Errorf("stream %s exists with %s %q, holdfast is to run with %q: start it with the stream's setting, change the stream (nats stream edit %s), or use another prefix",
				want.Name, setting.name, fmt.Sprint(setting.got), fmt.Sprint(setting.want), want.Name)
		}
	}
	return nil
}

// directives is the stream of the bucket as nats.go makes one with a history of 1 (ADR-8), but that many values may be written as one
// message is. Where a bucket was made without that, directives are written one by one.
func (t Topology) directives() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:               t.directivesStream(),
		Description:        "The last command per channel, SKU and location",
		Subjects:           []string{"$KV." + t.DirectivesBucket() + ".>"},
		MaxMsgsPerSubject:  1,
		MaxMsgs:            -1,
		MaxBytes:           -1,
		MaxMsgSize:         -1,
		MaxConsumers:       -1,
		Storage:            jetstream.FileStorage,
		Replicas:           t.Replicas,
		Discard:            jetstream.DiscardNew,
		Duplicates:         duplicateWindow,
		AllowRollup:        true,
		DenyDelete:         true,
		AllowDirect:        true,
		AllowAtomicPublish: true,
	}
}

func (t Topology) ensureDirectives(ctx context.Context, js jetstream.JetStream) error {
	want, name := t.directives(), t.DirectivesBucket()
	if _, err := js.CreateStream(ctx, want); err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return fmt.Errorf("create bucket %s: %w", name, err)
	}
	bucket, err := js.KeyValue(ctx, name)
	if err != nil {
		return fmt.Errorf("open bucket %s: %w", name, err)
	}
	status, err := bucket.Status(ctx)
	if err != nil {
		return fmt.Errorf("look at bucket %s: %w", name, err)
	}
	const history = 1
	got := status.Config()
	if got.History != history || got.Storage != want.Storage || got.Replicas != want.Replicas || got.TTL != 0 {
		return fmt.Errorf("bucket %s exists with history %d, %v, %d replicas and a time to live of %v, holdfast is to run with history %d, %v, %d replicas and none: change it (nats stream edit %s), or use another prefix",
			name, got.History, got.Storage, got.Replicas, got.TTL, history, want.Storage, want.Replicas, want.Name)
	}
	return nil
}
