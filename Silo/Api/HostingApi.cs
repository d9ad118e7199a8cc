using System.Reflection;
using Hosting.Silo.Api.Logs;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Prometheus;

namespace Hosting.Silo.Api;

/// <summary>The HTTP API of the control plane: what users and the command line talk to.</summary>
public static class HostingApi
{
    /// <summary>
    /// Adds what the API needs. Expects an <see cref="IGrainFactory"/> and the stores of <c>Hosting.Grains.Storage</c>
    /// among the services. Configuration: <c>Hosting:AppsDomain</c>, <c>Hosting:PublicPort</c>.
    /// </summary>
    public static IServiceCollection AddHostingApi(this IServiceCollection services)
    {
        services.AddOptions<PublicAddress>().BindConfiguration("Hosting")
            .Validate(address => address.IsValid, "Hosting:AppsDomain must be a host name and Hosting:PublicPort 1 to 65535.")
            .ValidateOnStart();
        services.ConfigureHttpJsonOptions(json => ApiJson.Configure(json.SerializerOptions));
        // A query parameter of the wrong type reaches Failures, which says what would be right.
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        services.AddProblemDetails();
        services.AddExceptionHandler<Failures>();
        services.AddRateLimiter(Overload.Configure);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<RegionQueries>();
        services.AddSingleton<EventFollower>();
        services.AddSingleton<LogSources>();
        services.AddSingleton<LogHistory>();
        services.AddSingleton<LogFollower>();
        services.AddOpenApi("v1", openApi => openApi.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "Hosting";
            document.Info.Version = typeof(HostingApi).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "1";
            document.Info.Description = "Runs containers in the idle part of servers that belong to somebody else's application.";
            return Task.CompletedTask;
        }));
        return services;
    }

    /// <summary>Maps every path of the API, its OpenAPI document, the probes and the metrics.</summary>
    public static void MapHostingApi(this WebApplication app)
    {
        app.UseExceptionHandler();
        app.UseStatusCodePages(status => Problems.ForStatus(status.HttpContext).ExecuteAsync(status.HttpContext));
        app.UseRateLimiter();
        app.MapOpenApi("/openapi/{documentName}.json");
        app.MapMetrics("/metrics");
        HealthEndpoints.Map(app);

        var v1 = app.MapGroup("/v1").ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        AppEndpoints.Map(v1);
        RevisionEndpoints.Map(v1);
        LogEndpoints.Map(v1);
        ContainerEndpoints.Map(v1);
        ServerEndpoints.Map(v1);
        VmEndpoints.Map(v1);
        RegionEndpoints.Map(v1);
        EventEndpoints.Map(v1);
        PlacementEndpoints.Map(v1);
    }
}
