using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Hosting.Grains.Storage;
using Hosting.Silo.Api;
using Hosting.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

[assembly: AssemblyFixture(typeof(Hosting.Api.Tests.ApiHost))]

namespace Hosting.Api.Tests;

/// <summary>The API on a socket of its own, over a silo with scripted grains and a real deployment store.</summary>
public sealed class ApiHost : IAsyncLifetime
{
    private WebApplication _app = null!;
    private PostgresServer _postgres = null!;

    public World World { get; } = new();

    public HttpClient Http { get; private set; } = null!;

    public string ConnectionString { get; private set; } = null!;

    internal DeploymentStore Deployments => _app.Services.GetRequiredService<DeploymentStore>();

    internal PoolStore Pool => _app.Services.GetRequiredService<PoolStore>();

    internal EventLog Events => _app.Services.GetRequiredService<EventLog>();

    public async ValueTask InitializeAsync()
    {
        _postgres = await PostgresServer.Start(fsync: false);
        ConnectionString = await _postgres.CreateDatabase();
        await Schema.Apply(ConnectionString, CancellationToken.None);
        _app = Build();
        _app.MapHostingApi();
        await _app.StartAsync();
        var address = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        Http = new HttpClient { BaseAddress = new Uri(address) };
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    public async Task<Reply> Send(string method, string path, string? body = null, string contentType = "application/json")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }
        using var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var type = response.Content.Headers.ContentType?.MediaType;
        var headers = response.Headers.ToDictionary(h => h.Key, h => string.Join(",", h.Value));
        return new((int)response.StatusCode, type, headers, type is "application/json" or "application/problem+json" ? JsonNode.Parse(text) : null, text);
    }

    private WebApplication Build()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection([new("Hosting:AppsDomain", "apps.example.com"), new("Hosting:PublicPort", "8081")]);
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.UseOrleans(silo => silo
            .UseLocalhostClustering(Ports.Free(), Ports.Free())
            .ConfigureServices(services => services.PostConfigure<GrainTypeOptions>(OnlyScripted)));
        builder.Services.AddHostingStorage(ConnectionString);
        builder.Services.AddSingleton(World);
        builder.Services.AddHostingApi();
        return builder.Build();
    }

    private static void OnlyScripted(GrainTypeOptions types) =>
        types.Classes.RemoveWhere(type => type.Assembly == typeof(PoolStore).Assembly);
}

/// <summary>An answer of the API.</summary>
public sealed record Reply(int Status, string? Type, IReadOnlyDictionary<string, string> Headers, JsonNode? Json, string Text)
{
    /// <summary>The messages about a field in problem details.</summary>
    public string[] Errors(string field) => Json?["errors"]?[field] is JsonArray messages ? [.. messages.Select(m => m!.GetValue<string>())] : [];

    /// <summary>Checks what every refusal holds: problem details that say what happened and what to do.</summary>
    public Reply IsProblem(int status)
    {
        Assert.True(Status == status, $"{Status} {Text}");
        Assert.Equal("application/problem+json", Type);
        Assert.Equal(status, Json!["status"]!.GetValue<int>());
        Assert.False(string.IsNullOrWhiteSpace(Json["title"]?.GetValue<string>()), Text);
        Assert.False(string.IsNullOrWhiteSpace(Json["detail"]?.GetValue<string>()), Text);
        Assert.DoesNotContain("   at ", Text, StringComparison.Ordinal);
        return this;
    }

    public Reply Is(int status)
    {
        Assert.True(Status == status, $"{Status} {Text}");
        return this;
    }
}
