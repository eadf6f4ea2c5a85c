// An agent of a confidential VM as a generic Go client: real Go TLS, gRPC and protobuf, and the messages of one version
// from its descriptor. It prints what it receives as JSON lines and answers as an agent does.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: go-agent host:port folder-of-pem-files descriptor-set [metadata key value]...")
		os.Exit(2)
	}
	agent, err := load(os.Args[3])
	if err == nil {
		err = agent.run(os.Args[1], os.Args[2], os.Args[4:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type agent struct {
	files  *protoregistry.Files
	stream grpc.ClientStream
	pieces bytes.Buffer
}

func load(path string) (*agent, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(raw, &set); err != nil {
		return nil, err
	}
	files, err := protodesc.NewFiles(&set)
	return &agent{files: files}, err
}

func (a *agent) message(name string) *dynamicpb.Message {
	found, err := a.files.FindDescriptorByName(protoreflect.FullName("cvms." + name))
	if err != nil {
		panic(err)
	}
	return dynamicpb.NewMessage(found.(protoreflect.MessageDescriptor))
}

func (a *agent) run(address, folder string, pairs []string) error {
	config, err := tlsConfig(folder)
	if err != nil {
		return err
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx := metadata.AppendToOutgoingContext(context.Background(), pairs...)
	desc := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	if a.stream, err = conn.NewStream(ctx, desc, "/cvms.Service/Process"); err != nil {
		return err
	}
	if err := a.send(`{"agentLog":{"message":"hello from Go","level":"info"}}`); err != nil {
		return err
	}
	for {
		received := a.message("ServerStreamMessage")
		if err := a.stream.RecvMsg(received); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if err := a.handle(received); err != nil {
			return err
		}
	}
}

func tlsConfig(folder string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem"))
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(filepath.Join(folder, "ca.pem"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots}, nil
}

func (a *agent) send(json string) error {
	message := a.message("ClientStreamMessage")
	if err := protojson.Unmarshal([]byte(json), message); err != nil {
		return err
	}
	return a.stream.SendMsg(message)
}

// handle prints a message, a run as a whole, and answers it.
func (a *agent) handle(message *dynamicpb.Message) error {
	oneof := message.Descriptor().Oneofs().ByName("message")
	field := message.WhichOneof(oneof)
	if field == nil {
		return errors.New("a message without a member that this version knows")
	}
	value := message.Get(field).Message()
	text := func(name protoreflect.Name) string {
		return value.Get(value.Descriptor().Fields().ByName(name)).String()
	}
	switch field.Name() {
	case "runReqChunks":
		fields := value.Descriptor().Fields()
		a.pieces.Write(value.Get(fields.ByName("data")).Bytes())
		if !value.Get(fields.ByName("is_last")).Bool() {
			return nil
		}
		run := a.message("ComputationRunReq")
		if err := proto.Unmarshal(a.pieces.Bytes(), run); err != nil {
			return err
		}
		if len(run.GetUnknown()) > 0 {
			return errors.New("a run with members that this version does not know")
		}
		a.pieces.Reset()
		print(run)
		return a.send(fmt.Sprintf(`{"runRes":{"computationId":%q}}`, text("id")))
	case "agentStateReq":
		print(message)
		return a.send(fmt.Sprintf(`{"agentStateRes":{"id":%q,"state":"ReceivingManifest"}}`, text("id")))
	case "stopComputation":
		print(message)
		return a.send(fmt.Sprintf(`{"stopComputationRes":{"computationId":%q}}`, text("computation_id")))
	default:
		print(message)
		return nil
	}
}

func print(message proto.Message) {
	line, err := protojson.Marshal(message)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}
