using System.Text.Json.Nodes;

namespace Hosting.Api.Tests;

public sealed class OpenApiTests(ApiHost api)
{
    private static readonly string[] Expected =
    [
        "delete /v1/apps/{name}", "get /healthz", "get /readyz", "get /v1/apps", "get /v1/apps/{name}", "get /v1/apps/{name}/containers",
        "get /v1/apps/{name}/events", "get /v1/apps/{name}/logs", "get /v1/apps/{name}/revisions", "get /v1/containers", "get /v1/events",
        "get /v1/regions", "get /v1/servers", "get /v1/servers/{region}/{server}", "get /v1/servers/{region}/{server}/check", "get /v1/vms", "get /v1/vms/{region}/{server}/{vm}",
        "patch /v1/regions/{region}", "patch /v1/servers/{region}/{server}", "patch /v1/vms/{region}/{server}/{vm}",
        "post /v1/apps/{name}/rollback", "post /v1/placements/explain", "post /v1/servers/{region}/{server}/check", "post /v1/servers/{region}/{server}/drain",
        "post /v1/vms/{region}/{server}/{vm}/drain", "put /v1/apps/{name}",
    ];

    [Fact]
    public async Task The_document_lists_every_route_with_a_summary_and_answers()
    {
        var document = (await api.Send("GET", "/openapi/v1.json")).Is(200).Json!;
        Assert.StartsWith("3.", document["openapi"]!.GetValue<string>(), StringComparison.Ordinal);
        var operations = document["paths"]!.AsObject()
            .SelectMany(path => path.Value!.AsObject().Select(operation => (Name: $"{operation.Key} {path.Key.TrimEnd('/')}", Value: operation.Value!)))
            .ToDictionary(o => o.Name, o => o.Value);
        Assert.Equal(Expected, operations.Keys.Order(StringComparer.Ordinal));
        Assert.All(operations, operation =>
        {
            Assert.False(string.IsNullOrWhiteSpace(operation.Value["summary"]?.GetValue<string>()), operation.Key);
            Assert.Contains(operation.Value["responses"]!.AsObject(), response => response.Key[0] == '2');
        });
        Assert.Equal(operations.Count, operations.Values.Select(o => o["operationId"]!.GetValue<string>()).Distinct().Count());
    }

    [Fact]
    public async Task References_within_the_document_lead_somewhere()
    {
        var document = (await api.Send("GET", "/openapi/v1.json")).Is(200).Json!;
        var references = References(document).Distinct().ToArray();
        Assert.NotEmpty(references);
        Assert.All(references, reference =>
        {
            var target = reference.Split('/').Skip(1).Aggregate(document, (JsonNode? node, string part) => node?[part]);
            Assert.True(target is not null, reference);
        });
    }

    [Fact]
    public async Task The_schema_of_a_spec_says_what_is_required()
    {
        var schema = (await api.Send("GET", "/openapi/v1.json")).Json!["components"]!["schemas"]!["AppSpec"]!;
        Assert.Equal(["image", "port"], schema["required"]!.AsArray().Select(name => name!.GetValue<string>()));
        Assert.Contains("placement", schema["properties"]!.AsObject().Select(property => property.Key));
        Assert.Equal("integer", schema["properties"]!["cpuMillis"]!["type"]!.GetValue<string>());
    }

    [Fact]
    public async Task Probes_and_metrics_answer()
    {
        Assert.Equal("ok\n", (await api.Send("GET", "/healthz")).Is(200).Text);
        Assert.Equal("ready\n", (await api.Send("GET", "/readyz")).Is(200).Text);
        Assert.Contains("process_cpu_seconds_total", (await api.Send("GET", "/metrics")).Is(200).Text, StringComparison.Ordinal);
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject o => o.SelectMany(p => p.Key == "$ref" ? [p.Value!.GetValue<string>()] : References(p.Value)),
        JsonArray a => a.SelectMany(References),
        _ => [],
    };
}
