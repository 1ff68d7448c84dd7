using System.Globalization;
using System.Text;

namespace Meanwhile.Trials.Verification;

/// <summary>
/// What a publisher has sent and what was acknowledged, in a file: a line before each packet that is sent and after each that is received. What is
/// handed to the operating system survives the process, so a publisher that was killed goes on where it was.
/// </summary>
internal sealed class PublisherLog : IDisposable
{
    private const char Sent = 'S';
    private const char SentAgain = 'D';
    private const char SentAnew = 'N';
    private const char Received = 'R';
    private const char Acknowledged = 'A';

    private readonly FileStream _file;

    private PublisherLog(FileStream file, List<SentMessage> messages) => (_file, Messages) = (file, messages);

    /// <summary>All messages, in the order of their numbers.</summary>
    public List<SentMessage> Messages { get; }

    /// <summary>Opens a log for going on with it.</summary>
    public static PublisherLog Open(string path)
    {
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        file.SetLength(Array.LastIndexOf(bytes, (byte)'\n') + 1); // A line that was cut off: what it announces was not done.
        file.Seek(0, SeekOrigin.End);
        return new PublisherLog(file, Parse(bytes));
    }

    /// <summary>Reads the log of a publisher, which may be at work.</summary>
    public static List<SentMessage> Read(string path)
    {
        if (!File.Exists(path))
            return [];
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return Parse(bytes);
    }

    /// <summary>A message is about to be sent for the first time.</summary>
    public SentMessage Send(long time, ushort packetId)
    {
        var message = new SentMessage(Messages.Count + 1, time) { PacketId = packetId };
        Write(Sent, message.Number, packetId, time);
        Messages.Add(message);
        return message;
    }

    /// <summary>It is about to be sent with DUP.</summary>
    public void SendAgain(SentMessage message)
    {
        Write(SentAgain, message.Number);
        message.SentAgain++;
    }

    /// <summary>It is about to be sent as a new message.</summary>
    public void SendAnew(SentMessage message, ushort packetId)
    {
        Write(SentAnew, message.Number, packetId);
        Apply(message, packetId);
    }

    /// <summary>PUBREC came.</summary>
    public void Receive(SentMessage message)
    {
        Write(Received, message.Number);
        message.IsReceived = true;
    }

    /// <summary>PUBACK or PUBCOMP came.</summary>
    public void Acknowledge(SentMessage message)
    {
        Write(Acknowledged, message.Number);
        message.IsAcknowledged = true;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static List<SentMessage> Parse(byte[] bytes)
    {
        List<SentMessage> messages = [];
        foreach (var line in Encoding.ASCII.GetString(bytes, 0, Array.LastIndexOf(bytes, (byte)'\n') + 1).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            long[] numbers = [.. line[1..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(n => long.Parse(n, CultureInfo.InvariantCulture))];
            if (line[0] == Sent)
                messages.Add(new SentMessage(numbers[0], numbers[2]) { PacketId = (ushort)numbers[1] });
            else
                Apply(messages[(int)numbers[0] - 1], line[0], numbers);
        }
        return messages;
    }

    private static void Apply(SentMessage message, char what, long[] numbers)
    {
        if (what == SentAgain)
            message.SentAgain++;
        else if (what == SentAnew)
            Apply(message, (ushort)numbers[1]);
        else if (what == Received)
            message.IsReceived = true;
        else
            message.IsAcknowledged = true;
    }

    private static void Apply(SentMessage message, ushort packetId)
    {
        message.SentAnew++;
        message.PacketId = packetId;
        message.IsReceived = false;
    }

    // One write for a line, so that a kill falls between lines.
    private void Write(char what, params ReadOnlySpan<long> numbers)
    {
        var line = new StringBuilder().Append(what);
        foreach (var number in numbers)
            line.Append(' ').Append(number);
        _file.Write(Encoding.ASCII.GetBytes(line.Append('\n').ToString()));
    }
}
