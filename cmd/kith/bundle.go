package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

func (p *program) bundleVerb() *cobra.Command {
	return parent("bundle", "Carry what is new as a file, where there is no network", p.bundleExportVerb(), p.bundleImportVerb())
}

func (p *program) bundleExportVerb() *cobra.Command {
	var to string
	var all bool
	c := &cobra.Command{
		Use: "export CHAT|PERSON", Short: "Write what is new for a chat's members, or for a friend in all chats, into a file that they alone can open",
		Args: words(1, 1), ValidArgsFunction: p.completeChatOrPerson,
		RunE: func(c *cobra.Command, args []string) error {
			if to == "" && c.Flags().Changed("output") {
				return &plainError{"-o names no file."}
			}
			if to == "" {
				to = strings.Map(func(r rune) rune {
					if strings.ContainsRune(`/\:*?"<>|`, r) || r <= ' ' {
						return '-'
					}
					return r
				}, args[0]) + ".kith"
			}
			return p.exportBundle(c, &v1.ExportBundleRequest{Chat: args[0], All: all}, to)
		},
	}
	c.Flags().StringVarP(&to, "output", "o", "", "the file (default: NAME.kith here)")
	c.Flags().BoolVar(&all, "all", false, "also what they have confirmed")
	return c
}

// exportBundle writes into a file of its own first: one that was there stays if anything fails.
func (p *program) exportBundle(c *cobra.Command, q *v1.ExportBundleRequest, to string) error {
	if to == "-" {
		return &plainError{"A bundle is written into a file, since nobody can read it on a terminal. Name one with -o."}
	}
	if _, err := os.Stat(filepath.Dir(to)); err != nil {
		return err
	}
	if at, err := os.Lstat(to); err == nil {
		if at.IsDir() {
			return &plainError{fmt.Sprintf("%s is a folder. Name a file in it with -o.", to)}
		}
		return &plainError{fmt.Sprintf("%s is there already. Choose another with -o, or remove it.", to)}
	}
	stream, err := p.client().ExportBundle(c.Context(), q)
	if err != nil {
		return err
	}
	defer stream.Close()
	half := to + ".part"
	file, err := os.OpenFile(half, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(half)
	defer file.Close()
	size := 0
	var sum *v1.Bundle
	for stream.Receive() {
		part := stream.Msg()
		if sum = part.Bundle; sum != nil {
			break
		}
		n, err := file.Write(part.Data)
		if size += n; err != nil {
			return err
		}
	}
	if err := stream.Err(); err != nil {
		return err
	}
	if sum == nil {
		return &plainError{"The node ended in the middle of the bundle. Nothing was written; try again."}
	}
	if size == 0 {
		if !p.show(sum) {
			p.printf("Nothing new for %s: no file was written. With --all the file holds everything.", q.Chat)
		}
		return nil
	}
	if err := errors.Join(file.Sync(), file.Close(), os.Rename(half, to)); err != nil {
		return err
	}
	if !p.show(sum) {
		p.printf("%s: %s, in %d KB. Nobody but whom it is for can open it: kith bundle import %s", to, bundleText(sum.Chats), (size+999)/1000, to)
	}
	return nil
}

func (p *program) bundleImportVerb() *cobra.Command {
	return &cobra.Command{
		Use: "import FILE", Short: "Take what somebody's bundle brings",
		Args: words(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if at, err := os.Stat(args[0]); err == nil && !at.Mode().IsRegular() && !at.IsDir() {
				return &plainError{args[0] + " is no ordinary file. Name one that Kith wrote."} // a pipe might never be written to
			}
			file, err := os.Open(args[0])
			if err != nil {
				return fmt.Errorf("the bundle cannot be read: %w", err)
			}
			defer file.Close()
			stream, err := p.client().ImportBundle(c.Context())
			if err != nil {
				return err
			}
			buf := make([]byte, 256<<10)
			for {
				n, err := file.Read(buf)
				if n > 0 {
					sent := stream.Send(&v1.BundlePart{Data: buf[:n]})
					if errors.Is(sent, io.EOF) { // the answer is there, and is no good one
						break
					}
					if sent != nil {
						return sent
					}
				}
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					return fmt.Errorf("the bundle cannot be read: %w", err)
				}
			}
			b, err := stream.CloseAndReceive()
			if err != nil || p.show(b) {
				return err
			}
			p.printBundle(b)
			return nil
		},
	}
}

func (p *program) printBundle(b *v1.Bundle) {
	head := "From " + nameOf(b.From) + ", made " + day(b.MadeAt) + ": "
	switch {
	case len(b.Chats) > 0:
		p.println(head + bundleText(b.Chats) + ".")
		for _, c := range b.Chats {
			if c.Invitation {
				p.println("Answer with kith group accept " + oneLine(c.Title) + ". Then take this file again, for what was said there.")
			}
		}
	case b.Others > 0:
		p.println(head + "it is of chats that are not here. Join them first.")
	default:
		p.println(head + "all of it was here already.")
	}
}

// bundleText says what is in a bundle: "3 messages and 1 change in Trip". Chats in which there
// is something to be read hide those in which there is not.
func bundleText(chats []*v1.BundleChat) string {
	var list []string
	for _, c := range chats {
		var parts []string
		if c.Invitation {
			text := "an invitation"
			if c.Title != "" {
				text += " to " + oneLine(c.Title)
			}
			list = append(list, text)
			continue
		}
		if c.Messages > 0 {
			parts = append(parts, count(int(c.Messages), "message", "messages"))
		}
		if c.Changes > 0 {
			parts = append(parts, count(int(c.Changes), "change of the membership", "changes of the membership"))
		}
		if len(parts) == 0 {
			continue
		}
		text := strings.Join(parts, " and ")
		if c.Title != "" {
			text += " in " + oneLine(c.Title)
		}
		list = append(list, text)
	}
	if len(list) == 0 {
		return "no new messages, only the word of which arrived"
	}
	return strings.Join(list, "; ")
}
