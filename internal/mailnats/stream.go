package mailnats

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"kith/internal/mailbox"
)

const (
	// streamName and prefix name the stream and the subjects of its drops: prefix and the name of
	// the drop in 64 hex digits.
	streamName = "KITHMAILBOX"
	prefix     = "kithmailbox."
	recordKey  = "Kith" // header of the record
)

// stream is the stream as one client of the servers uses it.
type stream struct {
	nc  *nats.Conn
	js  jetstream.JetStream
	of  jetstream.Stream
	log *slog.Logger
}

func subject(name mailbox.Name) string { return prefix + hex.EncodeToString(name[:]) }

func nameOf(subject string) (name mailbox.Name, ok bool) {
	digits, is := strings.CutPrefix(subject, prefix)
	b, err := hex.DecodeString(digits)
	if !is || err != nil || len(b) != len(name) {
		return name, false
	}
	return mailbox.Name(b), true
}

// open makes the stream, if it is not there, and has it lie on as many servers as there are to be
// now; never on fewer, since another mailbox may name more of them.
func (s *stream) open(ctx context.Context, replicas int) (err error) {
	if s.js, err = jetstream.New(s.nc); err != nil {
		return err
	}
	s.of, err = s.js.Stream(ctx, streamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		s.of, err = s.js.CreateStream(ctx, jetstream.StreamConfig{
			Name: streamName, Subjects: []string{prefix + "*"}, Replicas: replicas,
			Storage: jetstream.FileStorage, AllowDirect: true, Duplicates: 100 * time.Millisecond,
		})
	}
	if err != nil {
		return err
	}
	if is := s.of.CachedInfo().Config; is.Replicas < replicas {
		is.Replicas = replicas
		s.of, err = s.js.UpdateStream(ctx, is)
	}
	return err
}

// A message is one of the stream.
type message struct {
	record
	name mailbox.Name
	seq  uint64
	body []byte
}

func parseMessage(subject string, header nats.Header, seq uint64, body []byte) (m message, err error) {
	name, ok := nameOf(subject)
	text, err := base64.StdEncoding.Strict().DecodeString(header.Get(recordKey))
	if err != nil || !ok {
		return m, errRecord
	}
	r, err := parseRecord(text)
	return message{r, name, seq, body}, err
}

// answers of append.
var (
	// errConflict: the drop has another newest message than the one that the change was made from.
	errConflict = errors.New("mailnats: the drop has been changed meanwhile")
	// errUnsure: there was no answer; the change may be in the stream.
	errUnsure = errors.New("mailnats: the servers did not answer")
)

// append appends a change of a drop whose newest message has the sequence number last; 0: it has
// none.
func (s *stream) append(ctx context.Context, name mailbox.Name, r record, body []byte, last uint64) (seq uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, oneTry)
	defer cancel()
	m := nats.NewMsg(subject(name))
	m.Header.Set(recordKey, base64.StdEncoding.EncodeToString(r.marshal()))
	m.Data = body
	ack, err := s.js.PublishMsg(ctx, m, jetstream.WithExpectLastSequencePerSubject(last), jetstream.WithRetryAttempts(0))
	if err == nil {
		return ack.Sequence, nil
	}
	if api, ok := errors.AsType[*jetstream.APIError](err); ok {
		switch api.ErrorCode {
		case jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant:
			return 0, errConflict
		case codeResources, codeStorage, codeStore:
			return 0, fmt.Errorf("%w (%w)", mailbox.ErrDisk, err)
		}
		if api.Code/100 == 4 { // it would be refused again
			return 0, fmt.Errorf("mailnats: the servers refuse: %w", err)
		}
	}
	return 0, fmt.Errorf("%w (%w)", errUnsure, err)
}

// Error codes of nats-server for which the client's library has no name (its errors.json).
const (
	codeResources = 10023 // insufficient resources
	codeStorage   = 10047 // insufficient storage resources available
	codeStore     = 10077 // the store refused
)

// A request asks for a message: the newest of a subject, or the first of one from a sequence number
// on (nats-server's JSApiMsgGetRequest).
type request struct {
	Last string `json:"last_by_subj,omitempty"`
	Seq  uint64 `json:"seq,omitempty"`
	Next string `json:"next_by_subj,omitempty"`
}

// newest returns the newest message of a drop, as the servers' leader has it.
func (s *stream) newest(ctx context.Context, name mailbox.Name) (m message, found bool, err error) {
	return s.askLeader(ctx, request{Last: subject(name)})
}

// next returns the first message of a drop from seq on that has or follows a position after after.
// Any server may answer; one that is behind does not know of it, so that then the leader is asked.
func (s *stream) next(ctx context.Context, name mailbox.Name, seq, after uint64) (m message, found bool, err error) {
	r := request{Seq: seq, Next: subject(name)}
	m, found, err = s.askAny(ctx, r)
	if err == nil && (!found || len(m.sizes) > 0 && m.first() > after+1) {
		return s.askLeader(ctx, r)
	}
	return m, found, err
}

func (s *stream) askAny(ctx context.Context, r request) (m message, found bool, err error) {
	text, err := json.Marshal(r)
	if err != nil {
		return m, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, oneTry)
	defer cancel()
	answer, err := s.nc.RequestWithContext(ctx, "$JS.API.DIRECT.GET."+streamName, text)
	if err != nil {
		return m, false, fmt.Errorf("%w (%w)", errUnsure, err)
	}
	seq, err := strconv.ParseUint(answer.Header.Get(jetstream.SequenceHeader), 10, 64)
	if err != nil { // "404", or another refusal
		return m, false, nil
	}
	m, err = parseMessage(answer.Header.Get(jetstream.SubjectHeader), answer.Header, seq, answer.Data)
	return m, err == nil, err
}

func (s *stream) askLeader(ctx context.Context, r request) (m message, found bool, err error) {
	text, err := json.Marshal(r)
	if err != nil {
		return m, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, oneTry)
	defer cancel()
	answer, err := s.nc.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+streamName, text)
	if err != nil {
		return m, false, fmt.Errorf("%w (%w)", errUnsure, err)
	}
	var got struct {
		Error   *jetstream.APIError `json:"error"`
		Message struct {
			Subject string `json:"subject"`
			Seq     uint64 `json:"seq"`
			Header  []byte `json:"hdrs"`
			Data    []byte `json:"data"`
		} `json:"message"`
	}
	if err := json.Unmarshal(answer.Data, &got); err != nil {
		return m, false, fmt.Errorf("%w (%w)", errUnsure, err)
	}
	switch {
	case got.Error != nil && got.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound:
		return m, false, nil
	case got.Error != nil:
		return m, false, fmt.Errorf("%w (%w)", errUnsure, got.Error)
	}
	header, err := nats.DecodeHeadersMsg(got.Message.Header)
	if err != nil {
		return m, false, errRecord
	}
	m, err = parseMessage(got.Message.Subject, header, got.Message.Seq, got.Message.Data)
	return m, err == nil, err
}

// purge deletes the messages of a drop before a sequence number, which is not 0.
func (s *stream) purge(ctx context.Context, name mailbox.Name, before uint64) error {
	ctx, cancel := context.WithTimeout(ctx, oneTry)
	defer cancel()
	err := s.of.Purge(ctx, jetstream.WithPurgeSubject(subject(name)), jetstream.WithPurgeSequence(before))
	if api, ok := errors.AsType[*jetstream.APIError](err); ok && api.Code/100 == 4 { // it would be refused again
		return fmt.Errorf("mailnats: the servers refuse: %w", err)
	}
	if err != nil {
		return fmt.Errorf("%w (%w)", errUnsure, err)
	}
	return nil
}

// servers says how the servers of the stream are.
func (s *stream) servers(ctx context.Context) (list []mailbox.ServerState) {
	info, err := s.of.Info(ctx)
	switch {
	case err != nil:
		return nil
	case info.Cluster == nil: // one server alone
		return []mailbox.ServerState{{Name: s.nc.ConnectedServerName(), Leads: true, Here: true}}
	}
	if info.Cluster.Leader != "" {
		list = append(list, mailbox.ServerState{Name: info.Cluster.Leader, Leads: true, Here: true})
	}
	for _, r := range info.Cluster.Replicas {
		list = append(list, mailbox.ServerState{Name: r.Name, Here: !r.Offline && r.Active < silent, Behind: r.Lag})
	}
	slices.SortFunc(list, func(a, b mailbox.ServerState) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// beginWait is after how long without a message it is asked whether there are any more.
const beginWait = 2 * time.Second

// silent is after how long a server is away from which the leader hears nothing.
const silent = 10 * time.Second

// follow hands the newest message of each drop to take, without its body, and then each that
// comes. ready is called once the first are there. It ends with ctx, or with an error when it has
// to be begun anew.
func (s *stream) follow(ctx context.Context, take func(message), ready func()) error {
	c, err := s.of.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{prefix + "*"}, DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy, HeadersOnly: true,
	})
	if err != nil {
		return err
	}
	complete := func(info *jetstream.ConsumerInfo, err error) bool { return err == nil && info.NumPending == 0 }
	begun := complete(c.CachedInfo(), nil)
	if begun {
		ready()
	}
	list, err := c.Messages()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, list.Stop)
	defer stop()
	defer list.Stop()
	for foreign := false; ; {
		var wait []jetstream.NextOpt
		if !begun { // the last of those that were there may be purged before they come
			wait = append(wait, jetstream.NextMaxWait(beginWait))
		}
		msg, err := list.Next(wait...)
		if errors.Is(err, nats.ErrTimeout) && !begun {
			if begun = complete(c.Info(ctx)); begun {
				ready()
			}
			continue
		}
		if err != nil {
			return err
		}
		about, err := msg.Metadata()
		if err != nil {
			return err
		}
		if m, err := parseMessage(msg.Subject(), msg.Headers(), about.Sequence.Stream, nil); err == nil {
			take(m)
		} else if !foreign {
			foreign = true
			s.log.Warn("the servers have a message that this program cannot read: it is of a newer one, or somebody else writes to the stream", "sequence", about.Sequence.Stream)
		}
		if !begun && about.NumPending == 0 {
			begun = true
			ready()
		}
	}
}
