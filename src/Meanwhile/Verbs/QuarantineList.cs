using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Meanwhile.Logging;
using Meanwhile.Stores;

namespace Meanwhile.Verbs;

/// <summary>Writes quarantined messages for people, a line each, or for programs.</summary>
internal sealed class QuarantineList(TextWriter output, bool asJson)
{
    private const int BytesALine = 16;

    private bool _hasNames;

    /// <summary>Writes a message's number, time of arrival, topic, size and reason.</summary>
    public void Write(in QuarantinedMessage quarantined)
    {
        var (number, message) = quarantined;
        if (asJson)
        {
            output.Write($"{{\"number\": {number}, \"arrived\": \"{Arrival(message)}\", \"topic\": {ListFormat.Quote(message.Topic)}, \"bytes\": {message.Payload.Length}, \"reason\": {ListFormat.Quote(message.Reason)}}}\n");
            return;
        }
        if (!_hasNames)
            output.Write($"{"number",10}  {"arrived",-24}  {"bytes",8}  topic: reason\n");
        _hasNames = true;
        output.Write($"{number,10}  {Arrival(message)}  {message.Payload.Length,8}  {PlainFormatter.OneLine(message.Topic)}: {PlainFormatter.OneLine(message.Reason)}\n");
    }

    /// <summary>Writes all there is of a message; bytes that are no text in hexadecimal.</summary>
    public static void WriteWhole(TextWriter output, in QuarantinedMessage quarantined)
    {
        var (number, message) = quarantined;
        output.Write($"number   {number}\narrived  {Arrival(message)}\ntopic    {PlainFormatter.OneLine(message.Topic)}\nbytes    {message.Payload.Length}\nreason   {PlainFormatter.OneLine(message.Reason)}\n\n");
        if (IsText(message.Payload.Span, out var text))
            output.Write(text + (text.EndsWith('\n') ? "" : "\n"));
        else
            WriteHex(output, message.Payload.Span);
    }

    private static string Arrival(in RejectedMessage message) =>
        DateTimeOffset.FromUnixTimeMilliseconds(message.Arrived).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    // Control characters could steer the terminal.
    private static bool IsText(ReadOnlySpan<byte> payload, out string text)
    {
        text = Utf8.IsValid(payload) ? Encoding.UTF8.GetString(payload) : "";
        return payload.Length == 0 || (text.Length > 0 && !text.Any(c => char.IsControl(c) && c is not ('\n' or '\r' or '\t')));
    }

    private static void WriteHex(TextWriter output, ReadOnlySpan<byte> bytes)
    {
        for (var offset = 0; offset < bytes.Length; offset += BytesALine)
        {
            var line = bytes[offset..Math.Min(offset + BytesALine, bytes.Length)];
            output.Write($"{offset:x8}  {string.Join(' ', Convert.ToHexStringLower(line).Chunk(2).Select(pair => new string(pair)))}\n");
        }
    }
}
