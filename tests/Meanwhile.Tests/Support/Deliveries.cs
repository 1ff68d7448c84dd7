using System.Text;
using Meanwhile.Feeds;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;

namespace Meanwhile.Tests.Support;

/// <summary>Deliveries that no broker has sent.</summary>
internal static class Deliveries
{
    public static Meanwhile.Feeds.Delivery Of(DeliveryKind kind, string topic, string payload = "", IdChange change = default, string? client = null) =>
        Of(kind, topic, Encoding.UTF8.GetBytes(payload), change, client);

    public static Meanwhile.Feeds.Delivery Of(DeliveryKind kind, string topic, byte[] payload, IdChange change = default, string? client = null) => new()
    {
        Kind = kind,
        Client = client,
        Incoming = new Incoming
        {
            Kind = kind == DeliveryKind.Redelivery ? IncomingKind.Redelivery : IncomingKind.Message,
            ClientId = client ?? "",
            Message = new Message { Topic = topic, Payload = payload },
            Dup = kind == DeliveryKind.Redelivery,
            IdChange = change,
        },
    };
}
