using Meanwhile.Feeds;

namespace Meanwhile.Tests.Feeds;

public class BrokerAddressTests
{
    [Theory]
    [InlineData("localhost", "mqtt://localhost:1883")]
    [InlineData("mosquitto:21883", "mqtt://mosquitto:21883")]
    [InlineData("10.0.0.7", "mqtt://10.0.0.7:1883")]
    [InlineData("[::1]", "mqtt://[::1]:1883")]
    [InlineData("[::1]:2000", "mqtt://[::1]:2000")]
    [InlineData("mqtt://a.example", "mqtt://a.example:1883")]
    [InlineData("mqtts://a.example", "mqtts://a.example:8883")]
    [InlineData("mqtts://a.example:1/", "mqtts://a.example:1")]
    [InlineData("ws://a.example/mqtt", "ws://a.example:80/mqtt")]
    [InlineData("wss://a.example:9001/some/where", "wss://a.example:9001/some/where")]
    [InlineData("embedded", "embedded://127.0.0.1:1883")]
    [InlineData("embedded://0.0.0.0:0", "embedded://0.0.0.0:0")]
    [InlineData("embedded://[::1]:2000", "embedded://[::1]:2000")]
    public void An_address_is_understood(string text, string expected) => Assert.Equal(expected, BrokerAddress.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData(":1883")]
    [InlineData("host:")]
    [InlineData("host:0")]
    [InlineData("host:65536")]
    [InlineData("host:1883x")]
    [InlineData("ftp://host")]
    [InlineData("mqtt://")]
    [InlineData("mqtt://host/path")]
    [InlineData("mqtt://user:secret@host")]
    [InlineData("two words")]
    [InlineData("[::1")]
    [InlineData("embedded://somewhere:1883")]
    public void Other_addresses_are_refused(string text) => Assert.Throws<FormatException>(() => BrokerAddress.Parse(text));
}
