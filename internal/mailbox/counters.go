package mailbox

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// counters are what a server tells of itself: sums over all, never of anybody.
type counters struct {
	connections, bytesIn, bytesOut           atomic.Int64
	makes, stored, fetched, deletes, notices atomic.Int64
	missing, refused, limited, full, failed  atomic.Int64
	open, waiting                            atomic.Int64 // now
	puts, fetches                            durations
}

// upTo are the bounds of the classes of durations.
var upTo = [...]time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 5 * time.Second,
}

// durations counts how long something took, by classes.
type durations struct {
	in    [len(upTo) + 1]atomic.Int64
	total atomic.Int64 // ns
}

func (d *durations) observe(took time.Duration) {
	d.total.Add(int64(took))
	for i, bound := range upTo {
		if took <= bound {
			d.in[i].Add(1)
			return
		}
	}
	d.in[len(upTo)].Add(1)
}

// Status is how a server is.
type Status struct {
	Address     string    `json:"address"` // where it is reached, without the access secret
	Started     time.Time `json:"started"`
	Usage       Usage     `json:"usage"`
	MaxBytes    int64     `json:"max_bytes"`
	KeepDays    int       `json:"keep_days"`
	Open        int64     `json:"open"`    // connections now
	Waiting     int64     `json:"waiting"` // waits now
	Connections int64     `json:"connections"`
	Stored      int64     `json:"stored"`  // items, since the start
	Fetched     int64     `json:"fetched"` // items, since the start
	Missing     int64     `json:"missing"` // requests for drops that nobody has made
	Refused     int64     `json:"refused"` // those, and wrong capabilities
	Limited     int64     `json:"limited"`
	Full        int64     `json:"full"`
	Failed      int64     `json:"failed"` // writes that the disk did not take

	Shared  bool          `json:"shared"`  // servers keep the items, see Engine
	Servers []ServerState `json:"servers"` // nil if they do not answer, or a file keeps the items
}

// Status returns how the server is.
func (s *Server) Status() Status {
	return Status{
		Started: s.started.UTC(), Usage: s.cfg.Engine.Usage(), MaxBytes: s.cfg.Bounds.Bytes, KeepDays: int(s.cfg.KeepHours) / 24,
		Open: s.count.open.Load(), Waiting: s.count.waiting.Load(), Connections: s.count.connections.Load(),
		Stored: s.count.stored.Load(), Fetched: s.count.fetched.Load(),
		Missing: s.count.missing.Load(), Refused: s.count.refused.Load(), Limited: s.count.limited.Load(), Full: s.count.full.Load(), Failed: s.count.failed.Load(),
	}
}

// WriteMetrics writes the text form of Prometheus, version 0.0.4.
func (s *Server) WriteMetrics(w io.Writer) error {
	u, c := s.cfg.Engine.Usage(), &s.count
	for _, m := range []struct {
		name, kind, help string
		value            int64
	}{
		{"drops", "gauge", "Drops that are held.", u.Drops},
		{"items", "gauge", "Items that are held.", u.Items},
		{"bytes", "gauge", "Bytes of all items that are held.", u.Bytes},
		{"max_bytes", "gauge", "Bytes of items that may be held.", s.cfg.Bounds.Bytes},
		{"connections_open", "gauge", "Connections now.", c.open.Load()},
		{"waits_open", "gauge", "Waits now.", c.waiting.Load()},
		{"connections_total", "counter", "Connections since the start.", c.connections.Load()},
		{"made_total", "counter", "Requests to make a drop.", c.makes.Load()},
		{"stored_total", "counter", "Items stored.", c.stored.Load()},
		{"fetched_total", "counter", "Items handed out.", c.fetched.Load()},
		{"deletes_total", "counter", "Deletes by readers.", c.deletes.Load()},
		{"notices_total", "counter", "Waits that were answered.", c.notices.Load()},
		{"missing_total", "counter", "Requests for drops that nobody has made.", c.missing.Load()},
		{"refused_total", "counter", "Requests with no such drop or a wrong capability.", c.refused.Load()},
		{"limited_total", "counter", "Requests over an allowance.", c.limited.Load()},
		{"full_total", "counter", "Requests for which there was no room.", c.full.Load()},
		{"failed_total", "counter", "Requests that the disk failed.", c.failed.Load()},
		{"received_bytes_total", "counter", "Bytes of requests.", c.bytesIn.Load()},
		{"sent_bytes_total", "counter", "Bytes of answers.", c.bytesOut.Load()},
	} {
		if _, err := fmt.Fprintf(w, "# HELP kith_mailbox_%s %s\n# TYPE kith_mailbox_%s %s\nkith_mailbox_%s %d\n", m.name, m.help, m.name, m.kind, m.name, m.value); err != nil {
			return err
		}
	}
	if err := c.puts.write(w, "put_seconds", "Time from a put to its answer."); err != nil {
		return err
	}
	return c.fetches.write(w, "fetch_seconds", "Time from a fetch to its answer.")
}

func (d *durations) write(w io.Writer, name, help string) error {
	name = "kith_mailbox_" + name
	text := fmt.Sprintf("# HELP %s %s\n# TYPE %s histogram\n", name, help, name)
	sum := int64(0)
	for i, bound := range upTo {
		sum += d.in[i].Load()
		text += fmt.Sprintf("%s_bucket{le=\"%g\"} %d\n", name, bound.Seconds(), sum)
	}
	sum += d.in[len(upTo)].Load()
	text += fmt.Sprintf("%s_bucket{le=\"+Inf\"} %d\n%s_sum %g\n%s_count %d\n", name, sum, name, time.Duration(d.total.Load()).Seconds(), name, sum)
	_, err := io.WriteString(w, text)
	return err
}
