// Google's in-memory Bigtable (package bttest) as a program: `emulator 127.0.0.1:9070`. With port 0 it chooses one. It
// prints where it listens and ends with its standard input, so that it never outlives the test that started it.
package main

import (
	"fmt"
	"io"
	"os"

	"cloud.google.com/go/bigtable/bttest"
	"google.golang.org/grpc"
)

func main() {
	const largestMessage = 256 << 20
	server, err := bttest.NewServer(os.Args[1], grpc.MaxRecvMsgSize(largestMessage), grpc.MaxSendMsgSize(largestMessage))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(server.Addr)
	_, _ = io.Copy(io.Discard, os.Stdin)
	server.Close()
}
