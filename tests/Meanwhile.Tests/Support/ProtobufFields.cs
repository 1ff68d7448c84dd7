using System.Buffers.Binary;
using System.Text;

namespace Meanwhile.Tests.Support;

/// <summary>The fields of a message in protobuf's wire format, by number, without knowing what they mean.</summary>
internal sealed class ProtobufFields
{
    private readonly List<(int Number, ulong Value, ReadOnlyMemory<byte> Bytes)> _fields = [];

    public ProtobufFields(ReadOnlyMemory<byte> message)
    {
        while (!message.IsEmpty)
        {
            var tag = Varint(ref message);
            var (value, bytes) = (0UL, ReadOnlyMemory<byte>.Empty);
            switch (tag & 7)
            {
                case 0:
                    value = Varint(ref message);
                    break;
                case 1:
                    value = BinaryPrimitives.ReadUInt64LittleEndian(message.Span);
                    message = message[8..];
                    break;
                case 2:
                    var length = (int)Varint(ref message);
                    bytes = message[..length];
                    message = message[length..];
                    break;
                case 5:
                    value = BinaryPrimitives.ReadUInt32LittleEndian(message.Span);
                    message = message[4..];
                    break;
                default:
                    Assert.Fail($"wire type {tag & 7}");
                    break;
            }
            _fields.Add(((int)(tag >> 3), value, bytes));
        }
    }

    public IEnumerable<ProtobufFields> Messages(int number) => Of(number).Select(field => new ProtobufFields(field.Bytes));

    public string Text(int number) => Encoding.UTF8.GetString(Of(number).Select(field => field.Bytes).LastOrDefault().Span);

    public string Hex(int number) => Convert.ToHexString(Of(number).Select(field => field.Bytes).LastOrDefault().Span);

    public ulong? Number(int number) => Of(number).Select(field => (ulong?)field.Value).LastOrDefault();

    private IEnumerable<(int Number, ulong Value, ReadOnlyMemory<byte> Bytes)> Of(int number) => _fields.Where(field => field.Number == number);

    private static ulong Varint(ref ReadOnlyMemory<byte> message)
    {
        var (value, shift) = (0UL, 0);
        byte next;
        do
        {
            next = message.Span[0];
            message = message[1..];
            value |= (ulong)(next & 0x7F) << shift;
            shift += 7;
        }
        while (next >= 0x80);
        return value;
    }
}
