// Reads messages with the official C++ library and writes what it understood, for test_aligned.py to compare.
//
// On standard input and output a message stands behind its length, four bytes, lowest first. What comes out is the
// deterministic serialization, which has no padding. The library has several parsers: each message goes through the
// generated one from one piece of memory, through the same in blocks so small that lengths and runs are cut in two, and
// through reflection; a message that they do not agree on ends the program.

#include <cstdint>
#include <iostream>
#include <memory>
#include <string>

#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "aligned.pb.h"

namespace {

using google::protobuf::Message;

// Shorter than the longest tag and length together.
constexpr int kBlock = 7;

bool ReadFramed(std::istream& in, std::string* message) {
  unsigned char length[4];
  if (!in.read(reinterpret_cast<char*>(length), sizeof length)) return false;
  uint32_t size = length[0] | length[1] << 8 | length[2] << 16 | static_cast<uint32_t>(length[3]) << 24;
  message->resize(size);
  return static_cast<bool>(in.read(&(*message)[0], size));
}

void WriteFramed(std::ostream& out, const std::string& message) {
  for (int shift = 0; shift < 32; shift += 8) out.put(static_cast<char>(message.size() >> shift));
  out.write(message.data(), static_cast<std::streamsize>(message.size()));
}

std::string Canonical(const Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  google::protobuf::DynamicMessageFactory factory;
  const Message* prototype = factory.GetPrototype(aligned::Sample::descriptor());
  std::string bytes;
  for (int index = 0; ReadFramed(std::cin, &bytes); ++index) {
    aligned::Sample generated, in_blocks;
    std::unique_ptr<Message> reflected(prototype->New());
    google::protobuf::io::ArrayInputStream blocks(bytes.data(), static_cast<int>(bytes.size()), kBlock);
    if (!generated.ParseFromString(bytes) || !in_blocks.ParseFromZeroCopyStream(&blocks) ||
        !reflected->ParseFromString(bytes)) {
      std::cerr << "message " << index << " is refused\n";
      return 1;
    }
    const std::string canonical = Canonical(generated);
    if (Canonical(in_blocks) != canonical || Canonical(*reflected) != canonical) {
      std::cerr << "message " << index << " is read in two ways\n";
      return 1;
    }
    WriteFramed(std::cout, canonical);
  }
  return std::cout.flush() ? 0 : 1;
}
