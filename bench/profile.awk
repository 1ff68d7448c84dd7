# Shares of the samples of "perf script": a sample belongs to the part that its innermost frame with a known name belongs to.
function part(frame) {
  if (frame ~ /libe_sqlite3|Stores\.Sqlite|libc_p(read|write)|ext4|fcntl/) return "SQLite"
  if (frame ~ /Meanwhile\.Windows\./) return "windows"
  if (frame ~ /ResultWriter|Pipeline\.Results|PublishAsync|MqttBroker::Publish/) return "results"
  if (frame ~ /ReadingParser|PayloadShape|FlatObject|Admission|EventTime|FiniteNumber|JsonPointer|Pipeline\.Intake|IsResultTopic|Ledger/) return "payloads: parse, sort"
  if (frame ~ /IncomingReader|IncomingQueue|WorkSignal/) return "queue between broker and path"
  if (frame ~ /AckLine|Settle|Receiver::|PacketIds|Broker\.Intake|MqttBroker::Complete|MessagePool|Delivery\.|Outbox/) return "delivery guarantees, acknowledgements"
  if (frame ~ /Meanwhile\.Mqtt\.Wire|Gathering|Session\.Message::|ReadPackets|SessionPackets/) return "packets: parse, copy"
  if (frame ~ /Meanwhile\.Mqtt\./) return "sessions, subscriptions, routing"
  if (frame ~ /LowLevelSpinWaiter|sched_yield/) return "threads that look for work"
  if (frame ~ /Net\.Sockets|libc_(recv|send)|SocketNative|SystemNative_(Receive|Send|Poll|WaitForSocket)|sendto|recvfrom|recvmsg|sendmsg|epoll|Kestrel|IO\.Pipelines/) return "sockets"
  if (frame ~ /futex|Threading\./) return "threads: wake, wait, locks"
  if (frame ~ /clrjit/) return "compiling"
  return ""
}
/^$/ {
  if (frames) {
    samples++
    count[found == "" ? "runtime and the rest" : found]++
  }
  frames = 0
  found = ""
  next
}
{
  frames++
  if ($0 ~ /f(data)?sync/)
    found = "fdatasync" # With all that the kernel does in it.
  else if (found == "")
    found = part($0)
}
END {
  print samples " samples"
  for (name in count)
    printf "%5.1f%%  %s\n", 100 * count[name] / samples, name | "sort -rn"
}
