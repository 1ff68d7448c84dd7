using System.Buffers;
using System.Text;

namespace Meanwhile.Mqtt.Wire;

/// <summary>One property of MQTT 5.0.</summary>
/// <param name="Id">Which.</param>
/// <param name="Number">Its value, where that is a number.</param>
/// <param name="Text">Its value where that is text; the name of a user property.</param>
/// <param name="Value">The value of a user property.</param>
/// <param name="Data">Its value where that is bytes.</param>
public readonly record struct Property(PropertyId Id, uint Number = 0, string Text = "", string Value = "", ReadOnlyMemory<byte> Data = default)
{
    /// <summary>There is such a property, and its value has a length that can be written.</summary>
    internal bool CanBeWritten => PropertyRule.Of((uint)Id).Type != PropertyType.Unknown
        && Encoding.UTF8.GetByteCount(Text) <= ushort.MaxValue && Encoding.UTF8.GetByteCount(Value) <= ushort.MaxValue && Data.Length <= ushort.MaxValue;

    /// <summary>Reads one that was checked.</summary>
    /// <param name="id">Which it is.</param>
    /// <param name="bytes">Its identifier and its value.</param>
    internal static Property Read(PropertyId id, ReadOnlyMemory<byte> bytes)
    {
        var reader = new PacketReader(new ReadOnlySequence<byte>(bytes[1..]));
        return PropertyRule.Of((uint)id).Type switch
        {
            PropertyType.Byte => new Property(id, reader.ReadByte()),
            PropertyType.TwoByte => new Property(id, reader.ReadUInt16()),
            PropertyType.FourByte => new Property(id, reader.ReadUInt32()),
            PropertyType.VariableByte => new Property(id, reader.ReadVariableByteInteger()),
            PropertyType.Text => new Property(id, Text: reader.ReadText()),
            PropertyType.TextPair => new Property(id, Text: reader.ReadText(), Value: reader.ReadText()),
            _ => new Property(id, Data: reader.ReadBinary().ToArray()),
        };
    }

    /// <summary>Writes its identifier and its value.</summary>
    internal void Write(PacketWriter writer)
    {
        writer.WriteByte((byte)Id);
        switch (PropertyRule.Of((uint)Id).Type)
        {
            case PropertyType.Byte:
                writer.WriteByte((byte)Number);
                break;
            case PropertyType.TwoByte:
                writer.WriteUInt16((ushort)Number);
                break;
            case PropertyType.FourByte:
                writer.WriteUInt32(Number);
                break;
            case PropertyType.VariableByte:
                writer.WriteVariableByteInteger(Number);
                break;
            case PropertyType.Text:
                writer.WriteText(Text);
                break;
            case PropertyType.TextPair:
                writer.WriteText(Text);
                writer.WriteText(Value);
                break;
            default:
                writer.WriteBinary(Data.Span);
                break;
        }
    }
}
