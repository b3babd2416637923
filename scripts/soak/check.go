package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// sent is a message of which kith send printed an id. A held one has none yet.
type sent struct {
	ID, By, Text string
	At           time.Time // when it was printed
	Held         bool      `json:",omitempty"`
	Guest        bool      `json:",omitempty"` // its author is one
}

// stay is the time of a guest in the group, as far as it is certain: what was
// printed from From on it must have, and what another guest printed from lag after it on, who may
// have been cut off and not have known. Of what was printed within lag before Until
// it must have what stands in Last. What is printed between Out, by when those in Knew
// knew that it was out, and Asked, before anybody added it again, it must not have of these. With a
// zero From nothing is certain of when it came in, so that it owes nothing.
type stay struct {
	Node        string
	From, Until time.Time
	Last        []string `json:",omitempty"`
	Out, Asked  time.Time
	Knew        []string `json:",omitempty"`
}

// lag is more than any cable was cut, and than it takes to notice.
const lag = time.Minute

// shown is what kith tail and kith send print of a message.
type shown struct {
	ID, Text, State string
	Author          struct{ Name string }
	WhileSplit      bool `json:"while_split"`
}

// report checks a folder and prints what was found.
func report(dir string) (ok bool, err error) {
	faults, err := check(dir)
	if err != nil {
		return false, err
	}
	trouble, err := readLines[string](filepath.Join(dir, "trouble.jsonl"))
	if err != nil {
		return false, err
	}
	sent, err := readLines[sent](filepath.Join(dir, "sent.jsonl"))
	if err != nil {
		return false, err
	}
	for i, f := range append(faults, trouble...) {
		if i == 100 {
			fmt.Println("and more")
			break
		}
		fmt.Println("fault:", f)
	}
	if len(faults)+len(trouble) > 0 {
		fmt.Printf("%d faults of %d messages, and %d other troubles\n", len(faults), len(sent), len(trouble))
		return false, nil
	}
	fmt.Printf("all of %d messages are there once, in one order, on each node that they are for\n", len(sent))
	return true, nil
}

// check reads what was sent, who may read what, and what each node shows, and
// returns what is wrong. What was written while the group was split is sealed again
// for those who came meanwhile, who show it in the place of the copy
// (docs/spec/group.md, "What a fork undoes"): so of these messages nothing is asked
// of a guest.
func check(dir string) (faults []string, err error) {
	sent, err := readLines[sent](filepath.Join(dir, "sent.jsonl"))
	if err != nil {
		return nil, err
	}
	stays, err := readLines[stay](filepath.Join(dir, "stays.jsonl"))
	if err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.tail"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, errors.New("nobody shows anything")
	}
	slices.Sort(paths)
	guests := make(map[string][]stay)
	for _, s := range stays {
		guests[s.Node] = append(guests[s.Node], s)
	}
	var order map[string]int // places of the first node
	split := make(map[string]bool)
	for _, path := range paths {
		list, err := readLines[shown](path)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(filepath.Base(path), ".tail")
		places, wrong := placesOf(name, list)
		faults = append(faults, wrong...)
		if order == nil {
			order = places
			for _, m := range list {
				split[m.ID] = m.WhileSplit
			}
		}
		if guests[name] != nil {
			list = slices.DeleteFunc(list, func(m shown) bool { return split[m.ID] })
		}
		faults = append(faults, inOrder(name, list, order)...)
		if guests[name] == nil && len(places) != len(order) {
			faults = append(faults, fmt.Sprintf("%s shows %d messages, %s %d", name, len(places), filepath.Base(paths[0]), len(order)))
		}
		faults = append(faults, hasAll(name, sent, split, guests[name], list)...)
	}
	return faults, nil
}

// placesOf returns the place of each message in a list, and what is there twice
// or damaged.
func placesOf(name string, list []shown) (places map[string]int, faults []string) {
	places = make(map[string]int)
	for i, m := range list {
		if _, twice := places[m.ID]; twice {
			faults = append(faults, fmt.Sprintf("%s shows %q twice", name, m.Text))
		}
		places[m.ID] = i
		if m.State != "shown" {
			faults = append(faults, fmt.Sprintf("%s shows %s of %s as %s", name, m.ID, m.Author.Name, m.State))
		}
	}
	return places, faults
}

// inOrder looks whether messages stand in the order of another node, which has them all.
func inOrder(name string, list []shown, order map[string]int) (faults []string) {
	last := -1
	for _, m := range list {
		at, ok := order[m.ID]
		switch {
		case !ok:
			faults = append(faults, fmt.Sprintf("%s shows %q, which the first node does not", name, m.Text))
		case at < last:
			faults = append(faults, fmt.Sprintf("%s shows %q in another place than the first node", name, m.Text))
		default:
			last = at
		}
	}
	return faults
}

// hasAll looks whether a node shows what it must, and not what it must not. Who is
// no guest must have all.
func hasAll(name string, sent []sent, split map[string]bool, stays []stay, list []shown) (faults []string) {
	byID, byText := make(map[string]shown), make(map[string]bool)
	for _, m := range list {
		byID[m.ID] = m
		byText[m.Text] = true
	}
	for _, s := range sent {
		m, ok := byID[s.ID]
		if s.ID == "" {
			ok, m = byText[s.Text], shown{Text: s.Text, Author: struct{ Name string }{s.By}}
		}
		if stays != nil && split[s.ID] {
			continue
		}
		must, mustNot := owed(name, s, stays)
		switch {
		case must && !ok:
			faults = append(faults, fmt.Sprintf("%s lacks %q, %s, of %s", name, s.Text, s.ID, s.At.UTC().Format("15:04:05.000")))
		case mustNot && ok:
			faults = append(faults, fmt.Sprintf("%s shows %q of %s, when it was no member", name, s.Text, s.At.UTC().Format("15:04:05.000")))
		case ok && (m.Text != s.Text || m.Author.Name != s.By):
			faults = append(faults, fmt.Sprintf("%s shows %q of %s, who wrote %q", name, m.Text, m.Author.Name, s.Text))
		}
	}
	return faults
}

// owed is whether a node must have a message, or must not.
func owed(name string, s sent, stays []stay) (must, mustNot bool) {
	if stays == nil || s.By == name {
		return true, false
	}
	for _, in := range stays {
		over := !in.Until.IsZero()
		if !in.From.IsZero() && s.At.After(in.since(s)) && (!over || s.At.Before(in.Until.Add(-lag)) || slices.Contains(in.Last, s.ID)) {
			must = true
		}
		if !in.Out.IsZero() && s.At.After(in.Out) && s.At.Before(in.Asked) && slices.Contains(in.Knew, s.By) {
			mustNot = true
		}
	}
	return must, mustNot
}

// since is from when on a message must be there in a stay.
func (in stay) since(s sent) time.Time {
	if s.Guest {
		return in.From.Add(lag)
	}
	return in.From
}

func readLines[T any](path string) (list []T, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	dec := json.NewDecoder(bufio.NewReader(f))
	for {
		var v T
		err := dec.Decode(&v)
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, v)
	}
}
